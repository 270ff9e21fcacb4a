"""The watch's pages."""

from django.urls import path, re_path

from fengsui.watch import hiding_views, rule_views, views

app_name = "watch"
urlpatterns = [
    path("alarms/", views.alarm_list, name="alarms"),
    path("alarms/export.csv", views.export, name="export"),
    path("alarms/<int:alarm>/", views.alarm_page, name="alarm"),
    re_path("^alarms/do/(?P<what>acknowledge|reset|shelve|out_of_service|bring_back)/$", views.handle, name="handle"),
    path("metrics", views.metrics, name="metrics"),
    path("rules/<slug:code>/", rule_views.rule_list, name="rules"),
    path("rules/<slug:code>/<int:point>/", rule_views.change, name="rule_change"),
    path("rules/<slug:code>/<int:point>/hide/", hiding_views.hide, name="hide"),
    path("ingest/", views.ingest, name="ingest"),
]
