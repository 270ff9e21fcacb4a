"""The ledger's pages."""

from django.urls import path

from fengsui.ledger import bulk, mechanism_pages, raising, views
from fengsui.ledger.persons_acts import adopt, correct, erase, merge, move, share
from fengsui.ledger.public import correspondence, follow, payee, report, triage, verify

app_name = "ledger"
urlpatterns = [
    path("cases/", views.case_list, name="list"),
    path("cases/export.xlsx", views.export, name="export"),
    path("cases/views/", views.keep_view, name="keep_view"),
    path("cases/columns/", views.choose_columns, name="columns"),
    path("cases/bulk/", bulk.choose, name="bulk"),
    path("cases/pick/<slug:kind>/", raising.pick, name="pick"),
    path("cases/new/", raising.choose, name="new"),
    path("cases/new/<slug:mechanism>/<slug:act>/", raising.raise_case, name="raise"),
    path("cases/<uuid:case>/", views.case_page, name="case"),
    path("cases/<uuid:case>/act/<slug:act>/", views.act_page, name="act"),
    path("cases/<uuid:case>/call/<int:line>/", views.record_call, name="call"),
    path("cases/<uuid:case>/evidence/<slug:digest>/", views.evidence_file, name="evidence"),
    path("cases/<uuid:case>/receipt/<int:seq>/", views.receipt_page, name="receipt"),
    path("cases/number/<str:number>/", views.by_number, name="number"),
    path("cases/<uuid:case>/correct/<int:seq>/", correct.page, name="correct"),
    path("cases/<uuid:case>/merge/", merge.page, name="merge"),
    path("cases/<uuid:case>/share/", share.page, name="share"),
    path("cases/<uuid:case>/erase/", erase.page, name="erase"),
    path("adopt/", adopt.page, name="adopt"),
    path("adopt/<slug:name>.<slug:kind>", adopt.template, name="adopt_template"),
    path("mechanisms/<slug:name>/move/", move.page, name="move"),
    path("mechanisms/", mechanism_pages.index, name="mechanisms"),
    path("mechanisms/<slug:name>/", mechanism_pages.page, name="mechanism"),
    path("notices/", views.notices, name="notices"),
    path("report/", report.page, name="report"),
    path("report/receipt/", report.receipt, name="report_receipt"),
    path("report/receipt/done/", report.done, name="report_done"),
    path("report/townships/", report.townships, name="report_townships"),
    path("report/sites/", report.sites, name="report_sites"),
    path("report/county/", report.county, name="report_county"),
    path("follow/", follow.page, name="follow"),
    path("follow/report/", follow.followed, name="followed"),
    path("follow/report/receipt/", follow.receipt_file, name="followed_receipt"),
    path("follow/leave/", follow.leave, name="follow_leave"),
    path("verify/", verify.page, name="verify"),
    path("verify/kept/", verify.kept, name="verify_kept"),
    path("verify/receipt/<str:code>/", verify.receipt, name="verify_receipt"),
    path("verify/heads/<int:size>.json", verify.head, name="verify_head"),
    path("cases/<uuid:case>/payee/", payee.page, name="payee"),
    path("cases/reports/", triage.page, name="triage"),
    path("cases/<uuid:case>/reporter/", correspondence.page, name="reporter"),
]
