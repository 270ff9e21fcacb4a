"""Tables that are more than they look: packed a thousandfold, wider or longer than any case needs."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from fengsui.ledger.adoption import table
from fengsui.ledger.adoption.table import Unreadable, read


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose first sheet is this XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(("状态",)))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one.filename, xml if one.filename == "xl/worksheets/sheet1.xml" else old.read(one))
    return out.getvalue()


SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def sheet(rows: str, dimension: str = "A1:B2") -> str:
    return f'<worksheet xmlns="{SPACE}"><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'


def test_what_unpacks_to_more_than_it_may_is_not_unpacked() -> None:
    bomb = with_sheet(sheet(" " * (table.UNPACKED + 1)))
    assert len(bomb) < 500_000
    tracemalloc.start()
    with pytest.raises(Unreadable, match="300 MB"):
        read(bomb, "old.xlsx")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_size_that_the_file_only_pretends_is_not_believed() -> None:
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>状态</t></is></c></row>'
    last = '<row r="2"><c r="A2" t="inlineStr"><is><t>open</t></is></c></row>'
    found = read(with_sheet(sheet(head + last, "A1:XFD1048576")), "old.xlsx")
    assert found.head == ("状态",) and [dict(row.cells) for row in found.rows] == [{"状态": "open"}]


def test_cells_are_counted_while_they_are_read() -> None:
    far = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 2000))
    with pytest.raises(Unreadable, match="16384 columns"):
        read(with_sheet(sheet(far)), "old.xlsx")
    head = '<row r="1"><c r="A1"><v>1</v></c></row>'
    with pytest.raises(Unreadable, match="4,000,000 cells"):
        read(with_sheet(sheet(head + far.replace('r="1"', 'r="2"', 1))), "old.xlsx")


def test_a_csv_of_commas_is_not_read() -> None:
    tracemalloc.start()
    with pytest.raises(Unreadable, match="4,000,000 cells"):
        read(b"a,b\n" + b"," * (table.CELLS + 1), "old.csv")
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("ends", ["\r", "\n", "\r\n"])
def test_empty_rows_of_a_csv_are_counted_however_they_end(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    monkeypatch.setattr(table, "CELLS", 1000)
    assert len(read(f"a,b{ends}{ends * 900}1,2".encode(), "old.csv").rows) == 1
    with pytest.raises(Unreadable, match="1,000 cells"):
        read(f"a,b{ends}{ends * 1000}1,2".encode(), "old.csv")


TEXTS = (
    "<si><t>状态</t></si><si><r><t>标</t></r><r><rPr><b/></rPr><t xml:space='preserve'>题 </t></r></si>"
    "<si><t>é_x005F_x000D_&#10;2</t></si><si/><si><t>open</t></si>"
)


def shared() -> bytes:
    """A workbook whose cells share their texts, as spreadsheet programs write it."""
    cells = [(0, 1), (4, 2), (4, 3)]
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>{a}</v></c><c r="B{n}" t="s"><v>{b}</v></c></row>'
        for n, (a, b) in enumerate(cells, 1)
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(with_sheet(sheet(rows)))) as old, zipfile.ZipFile(out, "w") as new:
        for one in old.infolist():
            if one.filename != "xl/sharedStrings.xml":
                data = old.read(one).decode()
                named_already = "sharedStrings" in data or one.filename != "[Content_Types].xml"
                new.writestr(one.filename, data if named_already else data.replace("</Types>", named))
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SPACE}">{TEXTS}</sst>')
    return out.getvalue()


WRITTEN = shared()
LONG = {
    "xl/styles.xml": "<numFmts/>",
    "xl/theme/theme1.xml": "<a/>",
    "xl/workbook.xml": "<a/>",
    "docProps/core.xml": "<a/>",
    "[Content_Types].xml": "<a/>",
    "xl/_rels/workbook.xml.rels": "<a/>",
    "xl/sharedStrings.xml": "<si><t>0</t></si>",
}


def swollen(part: str, size: int) -> bytes:
    """The workbook with one part made so long, of elements that would each be an object."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WRITTEN)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            data = old.read(one)
            if one.filename == part:
                head, tail = data.rsplit(b"</", 1)
                data = head + LONG[part].encode() * (size // len(LONG[part])) + b"</" + tail
            new.writestr(one.filename, data)
    return out.getvalue()


@pytest.mark.parametrize("part", LONG)
def test_a_workbooks_other_parts_are_bounded_one_by_one(part: str) -> None:
    most = 60_000_000 if "Strings" in part else 5_000_000
    bomb = swollen(part, most + 1000)
    tracemalloc.start()
    with pytest.raises(Unreadable, match=re.escape(part)):
        read(bomb, "old.xlsx")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_part_that_goes_by_another_name_has_its_own_bound() -> None:
    """Where the shared texts are, the contents say: also among the sheets."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(swollen("xl/sharedStrings.xml", 60_001_000))) as old, zipfile.ZipFile(out, "w", 8) as new:
        for one in old.infolist():
            data = old.read(one).replace(b"/xl/sharedStrings.xml", b"/xl/worksheets/sheet7.xml")
            new.writestr(one.filename.replace("sharedStrings", "worksheets/sheet7"), data)
    with pytest.raises(Unreadable, match=re.escape("xl/worksheets/sheet7.xml")):
        read(out.getvalue(), "old.xlsx")


def test_shared_texts_are_read_as_openpyxl_reads_them() -> None:
    found = read(WRITTEN, "old.xlsx")
    theirs = [["" if cell is None else cell.strip() for cell in row] for row in load_workbook(io.BytesIO(WRITTEN)).active.values]
    assert [list(found.head), *([*row.cells.values()] for row in found.rows)] == theirs
    assert found.head == ("状态", "标题") and theirs[1][0] == "open"


HEAD = '<row r="1"><c r="A1"><v>1</v></c></row>'
JUNK = {
    "between rows": sheet(HEAD + "<a/>" * 300_000 + HEAD),
    "rows that are none": sheet(HEAD + "<row xmlns='of:others'/>" * 300_000),
    "beside the rows": sheet(HEAD).replace("<sheetData>", "<a><b/></a>" * 200_000 + "<sheetData>"),
    "within a row": sheet(HEAD + "<row>" + "<c/>" * 300_000 + "</row>"),
    "within each other": sheet(HEAD + "<a>" * 300_000 + "</a>" * 300_000),
    "a tag": sheet(HEAD + "<a " + "".join(f'a{n}="" ' for n in range(300_000)) + "/>"),
    "a text": sheet(HEAD + "<a>" + "x" * 20_000_000 + "</a>"),
}


@pytest.mark.parametrize("where", JUNK)
def test_what_is_no_row_takes_no_room(where: str) -> None:
    """Each element that openpyxl does not know stayed until the sheet's end: 300 MB of them are 75 million."""
    bomb = with_sheet(JUNK[where])
    tracemalloc.start()
    if where in ("between rows", "rows that are none", "beside the rows"):
        assert read(bomb, "old.xlsx").head == ("1",)
    else:
        with pytest.raises(Unreadable, match=re.escape("(xl/worksheets/sheet1.xml)")):
            read(bomb, "old.xlsx")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_elements_between_shared_texts_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LONG, "xl/sharedStrings.xml", "<a/>")
    bomb = swollen("xl/sharedStrings.xml", 1_200_000)
    tracemalloc.start()
    assert read(bomb, "old.xlsx").head == ("状态", "标题")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_rows_are_read_as_openpyxl_reads_them() -> None:
    """Left out, empty, doubled, out of order, dates and numbers; the rest of the sheet beside them."""
    cells = '<c r="A{n}"><v>{n}</v></c><c r="C{n}" t="b"><v>1</v></c><c r="D{n}" t="inlineStr"><is><t>x</t></is></c>'
    lines = (
        "".join(f'<row r="{n}" ht="20">{cells.format(n=n)}</row>' for n in (1, 2, 5, 5, 4, 7))
        + "<row/><row><c><v>3</v></c></row>"
    )
    data = with_sheet(sheet(lines).replace("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:B2"/></mergeCells>'))
    theirs = load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
    theirs.reset_dimensions()
    assert [tuple(row) for row in table._sheet(data)] == [tuple(row) for row in theirs.iter_rows(values_only=True)]
    day = datetime(2026, 11, 24, 8, 30)
    dated = workbook(("状态", "时间"), ("open", day), ("open", day.date()))
    assert [[*row.cells.values()][1] for row in read(dated, "old.xlsx").rows] == [day, datetime(2026, 11, 24)]


@pytest.mark.parametrize("length", [32_768, 200_000])
def test_a_cell_too_long_is_named_by_row_and_column(length: int) -> None:
    with pytest.raises(Unreadable, match=r"Row 3, column “标题”: [\d,]+ characters"):
        read(f"状态,标题\nopen,x\nopen,{'x' * length}\n".encode(), "old.csv")


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(Unreadable, match="201 columns"):
        read(",".join(f"c{n}" for n in range(201)).encode(), "old.csv")


@pytest.mark.parametrize("data", [with_sheet("<worksheet"), with_sheet(""), b"PK\x03\x04rest", with_sheet(sheet("<row r='x'/>"))])
def test_a_damaged_workbook_is_a_sentence(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"save it again|is empty"):
        read(data, "old.xlsx")


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.xlsx", "", "a.xls"]), st.booleans())
def test_any_bytes_give_a_table_or_a_sentence(data: bytes, name: str, packed: bool) -> None:
    try:
        found = read(b"PK\x03\x04" + data if packed else data, name)
    except Unreadable as refused:
        assert str(refused)
        return
    assert found.head
