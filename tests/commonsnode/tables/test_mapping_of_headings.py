"""From headings to fields: guessed in five languages, checked against the cells, and as a person says with --map and --key."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from commonsnode.tables import TableError, open_table
from table_readings import Read

Table: TypeAlias = Callable[..., Read]


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        (
            "Name,Description,Category,Location,Quantity,Unit,Condition,Tags,License\nDrill,big,tools,shed,1,pc,good,wood,CC0\n",
            "title description category place amount unit condition tags licence",
        ),
        (
            "Nombre;Descripción;Categoría;Ubicación;Cantidad;Unidad;Estado;Etiquetas;Licencia\nPala;x;y;z;1;u;bueno;t;CC0\n",
            "title description category place amount unit condition tags licence",
        ),
        (
            "Nome;Descrição;Categoria;Localização;Quantidade;Unidade;Estado;Palavras-chave;Licença\nPá;x;y;z;1;u;bom;t;CC0\n",
            "title description category place amount unit condition tags licence",
        ),
        (
            "Nom;Description;Catégorie;Lieu;Quantité;Unité;État;Mots-clés;Licence\nPelle;x;y;z;1;u;bon;t;CC0\n",
            "title description category place amount unit condition tags licence",
        ),
        (
            "Bezeichnung;Beschreibung;Kategorie;Standort;Anzahl;Einheit;Zustand;Schlagwörter;Lizenz\nSäge;x;y;z;1;u;gut;t;CC0\n",
            "title description category place amount unit condition tags licence",
        ),
        ("Werkzeugname,Gerätetyp,Lagerort\nSäge,Hand,Keller\n", "title category place"),
        ("tool_name,tool_type,tool_location\nSaw,Hand,Bay 1\n", "title category place"),
        ('name,category_ids\nSaw,"19, 4"\nAxe,7\n', "title x:category_ids"),
        ("Nombre del artículo,Tipo de herramienta,Lugar\nSierra,Mano,Taller\n", "title category place"),
        ("Libellé,Type d'objet,Qté\nScie,Main,1\n", "title category amount"),
        ("Bien,Nombre,Lieu\nTracteur,2,Grange\nCharrue,1,Grange\n", "title amount place"),
        ("Geraet,Stueckzahl\nSäge,2\n", "title amount"),
        ("Name / Nom,Qty / Qté\nSaw,2\n", "title amount"),
        ("Item Name (short),Amount [pcs]\nSaw,2\n", "title amount"),
    ],
)
def test_common_headings_of_five_languages_are_known(table: Table, text: str, mapping: str) -> None:
    assert list(table(text).mapping.values()) == mapping.split()


@pytest.mark.parametrize(
    "heading",
    [
        "Owner",
        "Keeper",
        "Checked Out To: Location",
        "Besitzer",
        "Propietario",
        "photo",
        "Deleted",
        "nonce",
        "Min Qty",
        "Owner name",
        "Company name",
        "Fecha",
        "Full Name",
        "E-Mail",
        "Purchase cost",
        "License plate owner",
    ],
)
def test_a_table_sets_nothing_that_it_should_not(table: Table, heading: str) -> None:
    read = table(f"Item,{heading}\nDrill,Ana\nSaw,Ben\n")
    assert read.mapping == {"Item": "title", heading: f"x:{heading}"}


def test_an_exact_heading_goes_before_one_with_the_word_in_it(table: Table) -> None:
    read = table("Model name,Product notes,Name,Notes\nX1,long,Drill,short\n")
    assert read.fields == [
        {"x:Model name": "X1", "x:Product notes": "long", "title": "Drill", "description": "short"}
    ]


def test_an_amount_without_numbers_is_none(table: Table) -> None:
    read = table("Name,Amount\nSaw,many\nAxe,few\nRope,some\n")
    assert read.mapping == {"Name": "title", "Amount": "x:Amount"}


def test_a_single_odd_amount_is_kept_as_text_and_said(table: Table) -> None:
    read = table("Name,Amount\nSaw,1\nAxe,2\nRope,some\n")
    assert read.fields[2] == {"title": "Rope", "x:Amount": "some"}
    assert read.sheet.notices == ("1 cell of 'Amount' is no number (line 4): kept as x:Amount",)


@pytest.mark.parametrize(
    ("cells", "amounts"),
    [
        (["4", "2.5", "007", "4.00", "+3", "-1"], ["4", "2.5", "7", "4", "3", "-1"]),
        (["1,5", "2", "1.234,75"], ["1.5", "2", "1234.75"]),
        (["1,234", "12"], ["1234", "12"]),
        (["1 234", "1'234", "1\u202f234.5"], ["1234", "1234", "1234.5"]),
        (["1E+3", "2.5e2", "1"], ["1000", "250", "1"]),
    ],
)
def test_amounts_become_plain_decimal_strings(table: Table, cells: list[str], amounts: list[str]) -> None:
    read = table("Name\tAmount\n" + "".join(f"Thing {n}\t{cell}\n" for n, cell in enumerate(cells)))
    assert [fields["amount"] for fields in read.fields] == amounts


def test_in_a_file_with_semicolons_a_comma_is_a_decimal_comma(table: Table) -> None:
    read = table("Nombre;Cantidad\nArena;1,234\nGrava;2\n")
    assert [fields["amount"] for fields in read.fields] == ["1.234", "2"]


def test_state_is_a_condition_or_a_federal_state_by_what_stands_there(table: Table) -> None:
    assert table("Nombre,Estado\nPala,bueno\n").mapping["Estado"] == "condition"
    read = table("Nome,Endereço,Cidade,Estado\nHorta,Rua A 1,Recife,PE\n")
    assert read.fields[0]["place"] == {"name": "Rua A 1, Recife, PE"}


def test_a_country_alone_is_no_place(table: Table) -> None:
    assert table("Name,Country\nSaw,DE\n").mapping["Country"] == "x:Country"


def test_parts_of_an_address_are_joined_in_their_order(table: Table) -> None:
    read = table("Name;Ort;PLZ;Straße;Hausnummer;Land\nHof;Freiburg;79098;Mühlweg;7;DE\n")
    assert read.fields[0]["place"] == {"name": "Mühlweg 7, 79098 Freiburg, DE"}


def test_tags_are_divided_and_become_true(table: Table) -> None:
    read = table('Name,Tags\nSaw,"wood, garden"\nAxe,"old; sharp, heavy"\n')
    assert read.fields[0] == {"title": "Saw", "tag:wood": True, "tag:garden": True}
    assert read.fields[1] == {"title": "Axe", "tag:old": True, "tag:sharp, heavy": True}


def test_a_person_overrides_the_mapping(table: Table) -> None:
    text = "Name,Colour,Shelf,Qty,Secret\nSaw,red,B2,3,1234\n"
    read = table(text, mapping={"Colour": "category", "Qty": "x", "Secret": "-", "Shelf": "place"})
    assert read.fields == [{"title": "Saw", "category": "red", "place": {"name": "B2"}, "x:Qty": "3"}]
    assert read.mapping["Secret"] == "-"


def test_a_column_without_heading_is_named_by_its_number(table: Table) -> None:
    read = table("Saw;Barn;2\nAxe;Barn;1\n", mapping={"1": "title", "2": "place", "3": "amount"})
    assert read.fields[0] == {"title": "Saw", "place": {"name": "Barn"}, "amount": "2"}


def test_headings_that_start_with_x_are_kept_as_they_are(table: Table) -> None:
    read = table("title,x:Amount,x:Notes\nSaw,2,sharp\n")
    assert read.fields == [{"title": "Saw", "x:Amount": "2", "x:Notes": "sharp"}]


@pytest.mark.parametrize(
    ("mapping", "key", "reason"),
    [
        ({"Nme": "title"}, None, "no heading 'Nme'; there are 'Name', 'Qty'"),
        ({"Name": "keeper"}, None, "unknown field; possible are title, description"),
        ({"Name": "title", "Qty": "title"}, None, "two columns for title"),
        ({"Name": "lat"}, None, "lat and lon go together"),
        ({}, "Id", "--key: no heading 'Id'"),
    ],
)
def test_a_wrong_mapping_is_one_clear_error(
    tmp_path: Path, mapping: dict[str, str], key: str | None, reason: str
) -> None:
    path = tmp_path / "things.csv"
    path.write_text("Name,Qty\nSaw,1\n")
    with pytest.raises(TableError, match=reason):
        open_table(path, mapping=mapping, key=key)


def test_an_amount_that_a_person_chose_must_be_a_number(table: Table) -> None:
    read = table("Name,Size\nSaw,1\nAxe,big\n", mapping={"Size": "amount"})
    assert [(entry.line, entry.reason) for entry in read.rejected] == [(3, "the amount 'big' is no number")]


# Keys


@pytest.mark.parametrize(
    "heading",
    [
        "id",
        "ID",
        "código",
        "Code",
        "Asset Tag",
        "Inventarnummer",
        "Inventar-Nr.",
        "identifiant",
        "osm_id",
        "N° d'inventaire",
    ],
)
def test_a_column_that_is_plainly_an_id_names_the_rows(table: Table, heading: str) -> None:
    read = table(f"Name,{heading}\nSaw,A-1\nSaw,A-2\n")
    assert read.sheet.key == heading
    assert [row.key for row in read.rows] == ["A-1", "A-2"]
    assert read.fields[0] == {"title": "Saw", f"x:{heading}": "A-1"}


@pytest.mark.parametrize("ids", [("7", "7"), ("7", "")])
def test_ids_that_repeat_or_lack_name_nothing(table: Table, ids: tuple[str, str]) -> None:
    read = table(f"Name,ID,Place\nSaw,{ids[0]},Barn\nSaw,{ids[1]},Barn\n")
    assert read.sheet.key is None
    assert [row.key for row in read.rows] == ['["Saw", "Barn", "1"]', '["Saw", "Barn", "2"]']


def test_a_running_number_is_no_id(table: Table) -> None:
    assert table("Nr,Name\n1,Saw\n2,Axe\n3,Rope\n").sheet.key is None
    assert table("Nr,Name\n12,Saw\n7,Axe\n31,Rope\n").sheet.key == "Nr"


def test_a_key_without_ids_does_not_change_when_rows_come_in_between(table: Table) -> None:
    before = table("Name,Place,Notes\nSaw,Barn,a\nAxe,Barn,b\n")
    after = table("Name,Place,Notes\nRope,Barn,c\nSaw,Barn,a\nAxe,Barn,b\n")
    assert {row.key for row in before.rows} < {row.key for row in after.rows}


def test_with_a_given_key_rows_without_it_or_with_it_again_are_rejected(table: Table) -> None:
    read = table("Name,Serial\nSaw,1\nAxe,\nRope,1\nTent,2\n", key="Serial")
    assert [(entry.line, entry.reason) for entry in read.rejected] == [
        (3, "no key: 'Serial' is empty"),
        (4, "the key '1' (Serial) comes twice in this file"),
    ]
    assert [row.key for row in read.rows] == ["1", "2"]


def test_a_key_made_of_a_long_title_is_short_and_its_own(table: Table) -> None:
    read = table(f"Name\tQty\n{'Saw ' * 2000}\t1\n{'Saw ' * 2000}!\t2\n")
    keys = {row.key for row in read.rows}
    assert len(keys) == 2
    assert all(len(key.encode()) < 4096 for key in keys)


def test_the_source_is_the_name_of_the_file_unless_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "tools.of.the.village.csv"
    path.write_text("Name\nSaw\n")
    assert open_table(path)[0].source == "tools.of.the.village"
    assert open_table(path, source="village")[0].source == "village"


# Coordinates


@pytest.mark.parametrize(
    ("headings", "row"),
    [
        ("Name,Lat,Lon", "Well,39.4648183,-0.3739904"),
        ("Name;Latitud;Longitud", "Well;39,4648183;-0,3739904"),
        ("Name,LONG,LAT", "Well,-0.3739904,39.4648183"),
        ("Name,Breitengrad,Längengrad", "Well,39.4648183°,-0.3739904°"),
        ("Name\tX\tY", "Well\t-0.3739904\t39.4648183"),
        ("Name,Coordinates", 'Well,"39.4648183, -0.3739904"'),
        ("Name,GPS", "Well,39.4648183 -0.3739904"),
        ("Name,Coordenadas", 'Well,"(39.4648183,-0.3739904)"'),
        ("Name;Koordinaten", "Well;39,4648183, -0,3739904"),
        ("Name,coordonneesxy", 'Well,"[-0.3739904,39.4648183]"'),
        ("Name,geo", 'Well,"[-0.3739904,39.4648183]"'),
        ("Name,Location", 'Well,"39.4648183, -0.3739904"'),
        ("Name,geo_point_2d", 'Well,"39.4648183, -0.3739904"'),
        ("Name,the_geom", "Well,POINT (-0.3739904 39.4648183)"),
        ("Name;geo_shape", 'Well;"{""type"": ""Point"", ""coordinates"": [-0.3739904, 39.4648183]}"'),
        ("Name\tGPS", "Well\t39°27'53.34588\"N 0°22'26.36544\"W"),
        ("Name\tGPS", "Well\tW 0.3739904, N 39.4648183"),
    ],
)
def test_coordinates_are_understood_as_people_write_them(table: Table, headings: str, row: str) -> None:
    place = table(f"{headings}\n{row}\n").fields[0]["place"]
    assert place == {"lat": 394648183, "lon": -3739904}


def test_other_rows_show_the_order_of_two_coordinates(table: Table) -> None:
    read = table('Name,Coordinates\nA,"12.5, 41.9"\nB,"139.7, 35.7"\n')
    assert read.mapping["Coordinates"] == "lonlat"
    assert read.fields[0]["place"] == {"lat": 419000000, "lon": 125000000}


def test_coordinates_out_of_range_reject_the_row_and_say_whether_they_look_swapped(table: Table) -> None:
    read = table("Name,Lat,Lon\nA,95.5,120\nB,-122.4,37.8\nC,37.8,-122.4\nD,10,181\n")
    assert [(entry.line, entry.reason) for entry in read.rejected] == [
        (2, "latitude 95.5 is out of range (-90 to 90)"),
        (3, "latitude -122.4 is out of range (-90 to 90); latitude and longitude look swapped"),
        (5, "longitude 181 is out of range (-180 to 180)"),
    ]


def test_coordinates_that_lack_or_say_nothing_do_not_cost_the_row(table: Table) -> None:
    read = table("Name,Lat,Lon\nA,1.5,2.5\nB,,\nC,unknown,unknown\nD,3.5,\n")
    assert read.fields[1:] == [
        {"title": "B"},
        {"title": "C", "x:Lat": "unknown", "x:Lon": "unknown"},
        {"title": "D", "x:Lat": "3.5"},
    ]


def test_x_and_y_of_a_projection_are_no_coordinates(table: Table) -> None:
    read = table("Name,X,Y\nA,725846.3,4372345.1\nB,725900.2,4372400.9\n")
    assert read.mapping == {"Name": "title", "X": "x:X", "Y": "x:Y"}


def test_width_and_length_are_no_coordinates(table: Table) -> None:
    read = table("Gerät;Länge;Breite\nTisch;120;80\nBrett;40,5;20\n")
    assert read.mapping["Länge"] == "x:Länge"
