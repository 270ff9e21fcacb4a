"""Addresses of the region room."""

from django.urls import path

from . import views

app_name = "region"
urlpatterns = [
    path("sites/", views.site_list, name="sites"),
    path("sites.xlsx", views.site_export, name="site_export"),
    path("unanswered/", views.unanswered, name="unanswered"),
    path("offices/", views.office_list, name="offices"),
    path("offices/<int:pk>/", views.office_page, name="office"),
    path("contacts/", views.contacts, name="contacts"),
    path("geo/counties.geojson", views.counties, name="counties"),
]
