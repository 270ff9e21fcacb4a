"""Addresses of the region room."""

from django.urls import path

from . import change_views, views

app_name = "region"
urlpatterns = [
    path("sites/", views.site_list, name="sites"),
    path("sites.xlsx", views.site_export, name="site_export"),
    path("unanswered/", views.unanswered, name="unanswered"),
    path("offices/", views.office_list, name="offices"),
    path("offices/<int:pk>/", views.office_page, name="office"),
    path("contacts/", views.contacts, name="contacts"),
    path("sites/<slug:code>/register/", change_views.register, name="register"),
    path("people/<int:number>/", change_views.person_page, name="person"),
    path("people/found.json", change_views.people_found, name="people_found"),
    path("change/<slug:kind>/<int:number>/<slug:name>/", change_views.change_page, name="change"),
    path("changes/", change_views.record, name="record"),
    path("geo/counties.geojson", views.counties, name="counties"),
]
