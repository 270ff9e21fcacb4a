"""All addresses: each room brings its own."""

from django.urls import URLPattern, URLResolver, include, path

from fengsui.api.assembly import api
from fengsui.cockpit.signin import SignIn

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("fengsui.cockpit.urls")),
    path("", include("fengsui.ledger.urls")),
    path("", include("fengsui.watch.urls")),
    path("api/", api.urls),
    path("", include("fengsui.region.urls")),
    path("law/", include("fengsui.law.urls")),
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("account/login/", SignIn.as_view()),
    path("account/", include("allauth.urls")),
    path("language/", include("django.conf.urls.i18n")),
]
handler404 = "fengsui.cockpit.views.missing"
handler500 = "fengsui.cockpit.views.broken"
