"""Addresses of the law room."""

from django.urls import path

from . import views

app_name = "law"
urlpatterns = [
    path("", views.law_list, name="list"),
    path("<str:name>/", views.law_page, name="number"),
]
