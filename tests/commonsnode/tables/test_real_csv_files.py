"""Real inventories as people publish them, in five languages: each is mapped as a person would map it."""

from collections.abc import Callable
from typing import TypeAlias

from table_readings import Read

Sample: TypeAlias = Callable[[str], Read]


def test_a_store_in_chile_has_things_with_stock_unit_and_container(sample: Sample) -> None:
    read = sample("herramientas.csv")
    assert read.mapping == {
        "codigo": "x:codigo",
        "item": "title",
        "unidad": "unit",
        "tipo": "category",
        "lugar": "place",
        "minimo": "x:minimo",
        "stock": "amount",
    }
    assert read.sheet.key == "codigo"
    assert len(read.rows) == 11
    assert read.rows[0].key == "100"
    assert read.fields[0] == {
        "title": 'ESMERIL ANGULAR BOSCH 7"  GWS .22.180',
        "unit": "Unidad",
        "category": "Herramienta",
        "place": {"name": "Contenedor1"},
        "amount": "1",
        "x:codigo": "100",
        "x:minimo": "0",
    }


def test_street_markets_of_sao_paulo_have_coordinates_in_millionths_of_a_degree(sample: Sample) -> None:
    read = sample("feiras-livres.csv")
    assert read.sheet.key == "ID"
    assert (read.mapping["NOME_FEIRA"], read.mapping["LAT"], read.mapping["LONG"]) == ("title", "lat", "lon")
    assert read.fields[1]["title"] == "PRACA SANTA HELENA"
    assert read.fields[1]["place"] == {
        "name": "RUA JOSE DOS REIS 909, VL ZELINA",
        "lat": -235848520,
        "lon": -465747160,
    }
    assert read.fields[0]["x:SETCENS"] == "355030885000091"


def test_a_row_with_a_field_too_few_is_taken(sample: Sample) -> None:
    last = sample("feiras-livres.csv").rows[-1]
    assert last.key == "880"
    assert "x:REFERENCIA" not in last.fields


def test_bicycle_stations_keep_everything_that_is_no_place(sample: Sample) -> None:
    read = sample("valenbisi.csv")
    assert read.sheet.key == "Numero"
    assert len(read.rows) == 25
    assert read.fields[0]["place"] == {"name": "Germanías - Ruzafa", "lat": 394648183, "lon": -3739904}
    assert read.fields[0]["x:Activo"] == "T"
    assert read.fields[0]["x:fecha_actualizacion"] == "03/09/2024 12:03:33"
    assert "title" not in read.fields[0]


def test_a_french_place_has_its_address_joined_and_its_type_as_category(sample: Sample) -> None:
    read = sample("mediation-numerique.csv")
    fields = read.fields[0]
    assert fields["title"] == "Anonymal"
    assert fields["category"] == "TIERS_LIEUX|ASSO"
    assert fields["place"] == {
        "name": "12 BIS RUE DE LECLERCQ, Le patio du bois de l'Aulne, 51100 Reims",
        "lat": 435260900,
        "lon": 54142300,
    }
    assert str(fields["description"]).startswith("Notre association propose")
    assert read.rows[0].key == "structure-1"


def test_two_coordinates_in_one_cell_are_read_in_the_order_that_the_heading_says(sample: Sample) -> None:
    read = sample("stationnement-cyclable.csv")
    assert read.mapping["coordonneesxy"] == "lonlat"
    assert read.fields[0]["place"] == {"lat": 451914630, "lon": 57145295}
    assert read.mapping["proprietaire"] == "x:proprietaire"
    assert read.mapping["commentaires"] == "description"


def test_a_catalogue_of_machines_has_the_model_as_title(sample: Sample) -> None:
    read = sample("laser.csv")
    assert read.mapping == {
        "model": "title",
        "Brand": "x:Brand",
        "Laser Type": "category",
        "Working Area": "x:Working Area",
        "Materials": "x:Materials",
    }


def test_repairs_have_no_title_and_nothing_is_invented(sample: Sample) -> None:
    read = sample("repairs.csv")
    assert read.mapping["product_category"] == "category"
    assert read.mapping["repair_status"] == "condition"
    assert read.mapping["partner_product_category"] == "x:partner_product_category"
    assert all("title" not in fields and "place" not in fields for fields in read.fields)
    assert read.rows[0].key == "anstiftung_2746"


def test_a_table_without_headings_has_numbered_columns(sample: Sample) -> None:
    read = sample("units.csv")
    assert read.mapping == {str(n): f"x:{n}" for n in range(1, 7)}
    assert (read.rows[0].line, read.fields[0]["x:2"]) == (1, "chain")
    assert len(read.rows) == 40


def test_a_mac_file_with_bare_cr_has_its_empty_headings_numbered(sample: Sample) -> None:
    read = sample("assets-mac.csv")
    assert "read as Mac Roman" in read.sheet.notices
    assert [row.line for row in read.rows] == [2, 3, 4, 5, 6]
    assert read.mapping["item Name"] == "title"
    assert read.mapping["Full Name"] == "x:Full Name"
    assert read.mapping["5"] == "x:5"
    assert read.sheet.key == "Asset Tag"
    assert read.fields[0]["place"] == {"name": "Málaga"}
    assert read.fields[0]["x:Model Number"] == "6.37702E+15"


def test_the_smallest_amount_to_keep_is_not_the_amount(sample: Sample) -> None:
    read = sample("accessories.csv")
    assert read.mapping["QTY"] == "amount"
    assert read.mapping["Min Amount"] == "x:Min Amount"
    assert read.mapping["Company"] == "x:Company"
    assert read.rows[0].key == '["Dragline", "Artashat", "1"]'


def test_charging_points_have_their_glued_headings_understood(sample: Sample) -> None:
    read = sample("accent.csv")
    assert (read.mapping["Xlongitude"], read.mapping["Ylatitude"]) == ("lon", "lat")
    assert read.mapping["accessibilité"] == "x:accessibilité"
    assert [row.key for row in read.rows] == ['["Parking 1", "D109A", "1"]', '["Parking 1", "D109A", "2"]']
