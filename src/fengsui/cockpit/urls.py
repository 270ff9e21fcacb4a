"""The shell's own addresses."""

from django.conf import settings
from django.urls import path

from fengsui.cockpit import exercise, mapping, signin, sitepage, splitscreen, views

app_name = "cockpit"
urlpatterns = [
    path("", views.home, name="home"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("worker.js", views.worker, name="worker"),
    path("offline/", views.offline, name="offline"),
    path("desk/", views.desk_page, name="desk"),
    path("live/", views.live_stream, name="live"),
    path("live/alarm/", views.alarm_part, name="alarm"),
    path("live/health/", views.health_part, name="health"),
    path("map/", mapping.page, name="map"),
    path("map/now.json", mapping.data, name="map_data"),
    path("map/sites.json", mapping.sites, name="map_sites"),
    path("map/base/<slug:name>.geojson", mapping.base, name="map_base"),
    path("sites/<slug:code>/", sitepage.page, name="site"),
    path("sites/<slug:code>/live/", sitepage.live, name="site_live"),
    path("exercise/", exercise.page, name="exercise"),
    path("exercise/now.json", exercise.now, name="exercise_now"),
    path("exercise/wish/", exercise.wish, name="exercise_wish"),
    path("find/", views.find, name="find"),
    path("demo/enter/", signin.enter, name="enter"),
    path("demo/four/", splitscreen.page, name="four"),
    path("demo/four/live/", splitscreen.live_stream, name="four_live"),
]
if settings.DEBUG:
    urlpatterns.append(path("components/", views.components, name="components"))
