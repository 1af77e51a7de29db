"""The words that head the columns of inventories, in English, Spanish, Portuguese, French and German.

Only data: `headings.py` matches with it. Phrases are separated by commas and written as people write them; accents, case
and punctuation are folded before anything is compared. The number before phrases is how plainly they mean the field.
"""

EXACT: dict[str, dict[int, str]] = {
    "title": {
        110: """item name, name of item, tool name, asset name, product name, article name, object name, thing name,
            nombre del articulo, nombre del objeto, nombre de la herramienta, nombre del producto, nombre del equipo,
            nome do item, nome do objeto, nome da ferramenta, nome do produto, nome do equipamento,
            nom de l'objet, nom de l'article, nom de l'outil, nom du produit, nom du materiel,
            artikelbezeichnung, artikelname, gerätename, gerätebezeichnung, werkzeugname, objektname, produktname""",
        100: "title, titel, título, titre, headline, überschrift",
        98: """name, names, nombre, nombres, nome, nom, bezeichnung, benennung, designation, désignation, denominación,
            denominação, dénomination, libellé, intitulé, label, display name, common name, nom usuel,
            nom commun, nombre común, nome comum, nombre vulgar, name der sache, n station, nome feira, nome fantasia, razón social""",
        90: "item, items, ítem, artículo, artigo, article, artikel, gegenstand, objeto, objet, objekt, object, thing, cosa",
        88: """tool, tools, herramienta, herramientas, ferramenta, ferramentas, outil, outils, werkzeug, werkzeuge, gerät,
            geräte, machine, machines, máquina, máquinas, maschine, maschinen, equipment, equipo, equipos, equipamento,
            equipamentos, équipement, équipements, ausrüstung, device, dispositivo, dispositif, appareil, apparat, aparato,
            aparelho, utensilio, utensílio, utensile, asset, bien, bem, sache, ding""",
        84: """product, producto, productos, produto, produtos, produit, produits, produkt, produkte, matériel, resource,
            recurso, ressource, vehicle, vehículo, veículo, véhicule, fahrzeug, book, libro, livro, livre, buch, plant,
            variety, variedad, variedade, variété, sorte, seed, semilla, semente, semence, saatgut, instrument, game, juego,
            jogo, jeu, spiel, project, proyecto, projeto, projet, projekt, initiative, iniciativa, organisation name,
            organization name, was""",
        60: """place name, location name, name of place, nombre del lugar, nom du lieu, nome do lugar, nome do local, ortsname,
            site name, venue name, nom du site, platform, platforms, plattform, model, modelo, modèle, modell, material, station, estación, estação,
            market, mercado, marché, markt, feira, feria, garden, huerto, horta, jardin, garten, shop, tienda, loja,
            organisation, organization, organización, organização, facility, what, qué, quoi""",
        45: """library, biblioteca, bibliothèque, bibliothek, room, raum, sala, salle, saal, salón, salão, espacio, espaço, espace,
            building, edificio, edifício, bâtiment, gebäude, subject, asunto, assunto, sujet, betreff""",
    },
    "description": {
        100: """description, descripción, descrição, beschreibung, item description, tool description, asset description,
            product description, produktbeschreibung, artikelbeschreibung, description contents, description/contents""",
        90: """long description, full description, short description, descripción corta, descripción larga, kurzbeschreibung,
            summary, résumé, resumen, resumo, presentation resume, présentation, presentación, apresentação, abstract,
            desc, descr, descrip, details, detail, detalles, detalle, detalhes, detalhe, détails, einzelheiten, about, text""",
        80: "notes, note, notas, nota, notizen, notiz, asset notes, item notes, notes and comments",
        75: """remarks, remark, comments, comment, comentarios, comentario, comentários, comentário, commentaires, commentaire,
            observaciones, observación, observações, observação, observations, observation, bemerkungen, bemerkung, anmerkung,
            anmerkungen, kommentar, kommentare, hinweis, hinweise, remarques, remarque, obs""",
        60: """contents, content, contenido, conteúdo, contenu, inhalt, features, características, caractéristiques,
            merkmale, specifications, specs, especificaciones, especificações, spécifications, detalles tecnicos,
            informations complémentaires, info, infos, information, información, informação, informationen,
            presentation detail, model notes""",
        40: "problem, problema, problème, fault, falla, defeito, panne, schaden",
    },
    "category": {
        100: """category, categories, categoría, categorías, categoria, categorias, catégorie, catégories, kategorie,
            kategorien, item category, product category, asset category, tool category, produktkategorie, warengruppe,
            category name, nombre de categoría, nome da categoria, nom de catégorie, kategoriename, artikelgruppe, produktgruppe, gerätekategorie, catégorie d'objet""",
        95: """type, item type, tool type, asset type, equipment type, product type, object type, resource type, thing type,
            kind, kind of thing, poi type, type of initiative, tipo, tipos, tipo de herramienta, tipo de objeto,
            tipo de equipo, tipo de item, tipo de ferramenta, tipo de equipamento, type d'objet, type de matériel, type d'outil,
            typ, art, gerätetyp, geräteart, objekttyp, werkzeugart, typologie, tipología, tipologia, catégorie principale""",
        85: """class, clase, classe, klasse, group, grupo, groupe, gruppe, family, familia, família, famille, rubro, rubrik,
            rubrique, ramo, genre, género, gênero, gattung, section, sección, seção, sparte, bereich, sachgruppe,
            item group, item class, classification, clasificación, classificação, klassifikation""",
        60: "landuse, land use, amenity, leisure, tourism, uso, nutzung, nutzungsart, uso del suelo, uso do solo",
        50: "shop type, craft, crop, cultivo, cultura, culture, kultur, theme, tema, thème, thema",
    },
    "condition": {
        100: """condition, condición, condição, zustand, estado de conservación, estado de conservação,
            état de conservation, erhaltungszustand, item condition, asset condition, condition of item, physical condition,
            état du matériel, état de l'objet, estado del equipo, estado físico, estado do bem""",
        90: "état, etat, estado, state of repair, working condition, betriebszustand, funktionszustand, état général",
        80: "status, item status, asset status, repair status, working status, situación, situação, statut",
        60: "working, works, funciona, funktioniert, fonctionne, funktionsfähig, state",
    },
    "amount": {
        100: """amount, quantity, quantities, qty, quant, cantidad, cantidades, cantidade, cant, quantidade, quantidades, qtd, qtde,
            qde, quantité, quantités, qté, menge, mengen, anzahl, stückzahl, number of items, number of pieces, no of items,
            num items, cantidad disponible, item count, how many, cuántos, quantos, combien, wie viele, wieviel""",
        90: """stock, stocks, in stock, stock quantity, on hand, quantity on hand, qty on hand, existencias, existencia,
            estoque, en stock, bestand, lagerbestand, vorrat, lagermenge, stock actual, stock level, em estoque,
            cantidad en stock, quantité en stock, total quantity, cantidad total, quantidade total, gesamtmenge""",
        80: """count, stück, stk, pieces, pcs, piezas, pza, pzas, peças, pièces, nb, nbre, nombre d'exemplaires,
            nombre de pièces, nombre d'unités, copies, ejemplares, exemplares, exemplaires, exemplare, número de unidades,
            units, unidades, unités, nro de unidades, número de piezas""",
        60: "nombre, available, available quantity, disponibles, disponíveis, verfügbar",
    },
    "unit": {
        100: """unit, unidad, unidade, unité, einheit, unit of measure, unit of measurement, measurement unit, measure unit,
            uom, unidad de medida, unidade de medida, unité de mesure, maßeinheit, mengeneinheit, ud, und, me,
            units of measure, quantity unit, unit name, unit symbol, unidad medida, masseinheit""",
    },
    "licence": {
        100: """licence, license, licencia, licença, lizenz, licence id, license id, spdx, spdx license, licence spdx,
            licences, licenses, licence type, license type, data licence, data license, nutzungslizenz""",
    },
    "tags": {
        100: """tags, tag, keywords, keyword, key words, etiquetas, etiqueta, palabras clave, palabra clave, palavras chave,
            palavra chave, mots clés, mot clé, mots clefs, étiquettes, étiquette, schlagwörter, schlagworte, schlagwort,
            stichwörter, stichworte, stichwort, free keywords, hashtags, marcadores, tag list, item tags""",
        80: "labels, free tags, descriptores, descritores, descripteurs, themen, topics",
    },
    "lat": {
        100: """lat, latitude, latitud, latitudine, breitengrad, geo lat, gps lat, lat dd, latitude wgs84, latitud wgs84,
            lat wgs84, geographische breite, geogr breite, ylatitude, y latitude, latitude y, gps latitude, coord lat,
            latitude dd, latitude decimal, latitud decimal, lat decimal, location lat, location latitude, lat y, lat gps,
            geo latitude, map lat, coordenada latitud, latitude deg""",
        60: "y, coord y, y coord, coordy, ycoord, coordonnee y, coordenada y, point y, y wgs84",
        40: "breite",
    },
    "lon": {
        100: """lon, lng, long, longitude, longitud, longitudine, längengrad, geo lon, geo lng, geo long, gps lon, gps lng,
            gps long, lon dd, longitude wgs84, longitud wgs84, lon wgs84, geographische länge, geogr länge, xlongitude,
            x longitude, longitude x, gps longitude, coord lon, coord long, longitude dd, longitude decimal,
            longitud decimal, lon decimal, location lon, location lng, location longitude, lon x, lon gps, geo longitude,
            map lon, map lng, coordenada longitud, longitude deg""",
        60: "x, coord x, x coord, coordx, xcoord, coordonnee x, coordenada x, point x, x wgs84",
        40: "länge",
    },
    "latlon": {
        100: """latlon, latlng, latlong, lat lon, lat lng, lat long, latitude longitude, latitud longitud,
            latitude et longitude, latitud y longitud, latitude e longitude, lat lon wgs84, geo point 2d, geo point""",
    },
    "lonlat": {
        100: """lonlat, lnglat, longlat, lon lat, lng lat, long lat, longitude latitude, longitud latitud,
            coordonnées xy, coordonneesxy, coordenadas xy, coordinates xy, xy, x y, koordinaten xy, coords xy""",
    },
    "pair": {
        95: """coordinates, coordinate, coords, coord, coordenadas, coordenada, coordonnées, coordonnée, koordinaten,
            koordinate, gps, gps coordinates, coordenadas gps, coordonnées gps, gps koordinaten, geokoordinaten, geo,
            geolocation, geolocalización, geolocalização, géolocalisation, geolokation, geopoint, position, posición, posição,
            geopos, punto, ponto, point, punkt, geographic coordinates, coordonnées géographiques,
            coordenadas geográficas, geographische koordinaten, map coordinates""",
        60: "location, ubicación, localización, localização, localisation, standort, lage, place",
    },
    "geometry": {
        90: "geometry, geojson, geometrie, géométrie, geometría, geometria, geom, the geom, geo shape, geoshape, shape, wkt",
    },
}
"""Target -> {score: phrases}. `pair`: both coordinates in one cell, in an order that the values must show."""

PLACE: dict[str, dict[int, str]] = {
    "venue": {
        100: """location, place, ubicación, localización, localização, localisation, standort, lagerort, lagerplatz,
            aufbewahrungsort, abstellort, fundort, emplacement, lugar, lieu, storage location, item location, ort, lugar de almacenamiento, lieu de stockage, local de armazenamento, local de guarda, dónde está, onde está, où se trouve, wo steht es, where, dónde, onde, où, wo,
            current location, where is it, stored at,
            kept at, guardado en, se encuentra en""",
        90: "local, sitio, site, sede, venue, branch, sucursal, filial, filiale, succursale, location details, lage",
        80: """warehouse, almacén, almacen, depósito, depot, dépôt, lager, bodega, armazém, entrepôt, workshop, taller, oficina,
            atelier, werkstatt, building, edificio, edifício, bâtiment, gebäude""",
        55: """place name, location name, name of place, nombre del lugar, nom du lieu, nome do lugar, nome do local, ortsname,
            site name, venue name, nom du site""",
        40: "library, biblioteca, bibliothèque, bibliothek",
    },
    "spot": {
        60: """room, raum, sala, salle, zimmer, shelf, regal, estante, estantería, prateleira, étagère, rayon, fach, schrank,
            armario, armário, armoire, location shelf, drawer, schublade, cajón, gaveta, tiroir, rack, bay""",
    },
    "address": {
        100: """address, adresse, anschrift, dirección, direccion, endereço, domicilio, street address, full address,
            address line 1, address 1, address1, adresse 1, dirección 1, adresse postale, dirección completa,
            endereço completo, postal address, postanschrift, adresse complète, ad station, adresa""",
    },
    "street": {
        100: """street, street name, straße, strasse, str, calle, rua, rue, logradouro, voie, nom de la voie, via, vía, avenida,
            addr street, strassenname, straßenname, nombre de la calle, nombre de vía, nome da rua, straße und hausnummer,
            straße hausnummer, straße nr, straße/nr, calle y número, rua e número, rue et numéro, thoroughfare""",
    },
    "number": {
        100: """housenumber, house number, house no, street number, hausnummer, hausnr, hnr, addr housenumber, numero de rue,
            número de calle, número exterior, numéro de voie, num voie, nº de porta""",
        60: "numero, número, numéro, nº, n°, num, nr, no, number, altura",
    },
    "extra": {
        90: """address2, address 2, address line 2, adresse 2, complement, complemento, complément, complément d'adresse,
            complement adresse, complemento de endereço, dirección 2, adresszusatz, zusatz, floor, piso, étage, andar,
            stockwerk, addr housename, housename, apartment""",
    },
    "quarter": {
        90: """bairro, barrio, quartier, stadtteil, ortsteil, stadtbezirk, neighbourhood, neighborhood, suburb, colonia,
            addr suburb, addr quarter, freguesia, lieu dit, vereda, aldea""",
    },
    "postcode": {
        100: """postcode, post code, postal code, zip, zip code, zipcode, plz, postleitzahl, cp, código postal, cod postal,
            codigo postal, cep, code postal, addr postcode, cód postal, c p""",
    },
    "city": {
        100: """city, town, village, stadt, gemeinde, wohnort, ciudad, municipio, município, localidad, localidade, cidade, ville,
            commune, localité, población, poblacion, addr city, city town, city/town, ort, ortschaft, pueblo, aldeia,
            nom commune, nom de la commune, stadt/gemeinde, stadt ort""",
    },
    "state": {
        90: """state, province, provincia, província, bundesland, region, región, região, région, departamento, département,
            uf, estado, kanton, canton, county, landkreis, kreis, addr state, addr province, state region, comunidad autónoma,
            state province, state/province""",
    },
    "country": {
        100: "country, país, pais, pays, land, staat, addr country, country code, nation",
    },
}
"""Part of an address -> {score: phrases}. `state`, `country`, `postcode`, `number` say nothing without the others."""

KEY: dict[int, str] = {
    100: "id, ids, ident, identifier, identificador, identifiant, kennung, uid, uuid, guid, fid, record id, osm id",
    95: """asset tag, asset id, asset number, asset no, inventory number, inventory no, inventory id, inventory tag, inventory code,
        inventarnummer, inventar nr, inventarnr, inv nr, invnr, inventar id, número de inventario, numero inventario,
        nº inventario, no inventario, nro inventario, n inventario, código de inventario, número de inventário,
        numéro d'inventaire, numero inventaire, n inventaire, no inventaire, n° d'inventaire, código do patrimônio,
        número do patrimônio, nº patrimônio, patrimônio, tombo, item id, item code, tool id, object id, gerätenummer, geräte nr,
        geräte id, objektnummer, id local, id externe, id osm, id station""",
    90: """code, código, cod, item number, item no, item nr, tool number, artikelnummer, artikel nr, artikelnr, art nr,
        código del artículo, código de artículo, code article, código do item, código do produto, référence, ref, reference,
        referencia, referência, referenz, product code, código de producto, kennziffer, kennnummer""",
    80: "sku, barcode, bar code, strichcode, código de barras, code barre, code barres, ean, qr code",
    40: "nr, no, number, numero, número, numéro, num, nummer, nro, n, nº, n°, sr, sr no, lfd nr, laufende nummer, pos, position",
}
"""How plainly a heading names an id. At 40 the values must be more than a running number."""

HEADS: dict[str, str] = {
    "title": "name, names, nombre, nome, nom, title, titulo, titre, titel, bezeichnung, benennung, designation, libelle, label",
    "description": "description, descripcion, descricao, beschreibung, desc, details, notes, notas, notizen, observaciones",
    "category": "category, categoria, categorie, kategorie, type, tipo, typ, art, kind, klasse, class, group, gruppe",
    "condition": "condition, zustand, condicion, condicao, etat, estado",
    "amount": "quantity, qty, cantidad, quantidade, quantite, qte, qtd, menge, anzahl, stock, bestand, count",
    "unit": "unit, unidad, unidade, unite, einheit",
    "venue": "location, ubicacion, localizacion, localizacao, emplacement, standort, lagerort",
    "key": "id, code, codigo, number, numero, nummer, nr, no, identifier, identifiant, identificador, tag",
}
"""Words that, beside words for a thing only, mean the target (`Tool description`, `Werkzeugname`)."""

THINGS = """item, items, tool, tools, thing, things, asset, assets, article, articles, articulo, articulos, artigo, artigos,
    artikel, objeto, objetos, objet, objets, objekt, object, objects, herramienta, herramientas, ferramenta, ferramentas, outil,
    outils, werkzeug, werkzeuge, gerät, geräte, machine, machines, maquina, maquinas, maschine, maschinen, equipment, equipo,
    equipos, equipamento, equipamentos, equipement, equipements, product, products, producto, productos, produto, produtos,
    produit, produits, produkt, produkte, material, materiel, resource, resources, recurso, recursos, ressource, ressourcen,
    bien, bienes, bem, bens, gegenstand, gegenstände, sache, ding, cosa, coisa, chose, inventory, inventario, inventaire,
    inventar, vehicle, vehiculo, veiculo, vehicule, fahrzeug, station, estacion, estacao, feira, mercado, markt, marche,
    instrument, instrumento, device, dispositivo, dispositif, appareil, apparat, aparato, aparelho, library item, stock item, element, elemento"""

LOOSE: dict[str, str] = {
    "title": "name, nombre, nome, nom, titulo, titre, bezeichnung, benennung, libelle",
    "description": "description, descripcion, descricao, beschreibung, notes, notas, notizen, observaciones, observacoes, bemerkung, "
    "comment, comments, comentario, comentarios, comentários, commentaire, commentaires, summary, resume, details, remarks",
    "category": "category, categoria, categorie, kategorie, rubro, rubrique",
    "condition": "condition, zustand, condicion, condicao",
    "amount": "quantity, qty, cantidad, quantidade, quantite, qte, qtd, menge, anzahl",
    "tags": "tags, keywords, schlagwörter, schlagworte, stichwörter, etiquetas",
    "lat": "latitude, latitud, breitengrad",
    "lon": "longitude, longitud, längengrad",
    "pair": "coordinates, coordenadas, coordonnees, koordinaten, geopoint, latlng",
    "venue": "location, standort, lagerort, ubicacion, localizacion, localizacao, emplacement, lugar, lieu, local",
    "address": "address, adresse, direccion, endereco, anschrift",
    "city": "city, ciudad, cidade, ville",
}
"""Words that mean the target also beside unknown words, where nothing better is found and none of BLOCK is there."""

BLOCK = """owner, owners, keeper, borrower, lender, propietario, proprietario, proprietaire, besitzer, eigentümer, dueño, dono,
    responsable, responsavel, verantwortlich, checked, checkout, checkin, out, assigned, loan, loaned, ausgeliehen, prestado,
    emprestado, email, mail, e, correo, courriel, courriels, phone, tel, telephone, telefono, telefone, telefon, mobile, fax, url,
    link, website, web, date, datum, fecha, data, time, hora, heure, zeit, price, cost, precio, preco, prix, cout, preis, kosten,
    value, wert, valor, min, max, minimum, maximum, minimo, maximo, minima, mindest, reorder, image, images, photo, photos, foto,
    fotos, imagen, imagem, bild, picture, company, empresa, firma, entreprise, supplier, proveedor, fornecedor, fournisseur,
    lieferant, manufacturer, fabricante, fabricant, hersteller, brand, marca, marque, marke, user, username, usuario, utilisateur,
    benutzer, person, persona, pessoa, personne, contact, contacto, contato, kontakt, manager, gestor, first, last, full, completo, complet, apellido,
    apellidos, sobrenome, prenom, vorname, nachname, familienname, parent, country, countries, pais, pays, land, language, idioma,
    langue, sprache, file, datei, fichier, archivo, arquivo, domain, host, id, code, codigo, serial, serie, seriennummer, version,
    analysis, analyse, analisis, level, area, nivel, niveau, order, pedido, commande, bestell, department, school, member, socio, mitglied, membre, autor, author, auteur, creator,
    field, column, program, programa, programme, team, provider, partner, per, rate, license, licence,
    parent item, barrier, unit, unidad, unidade, einheit, subject, ip, mac, network, signature"""
"""Words that make another word of a heading mean something else (`Owner name`, `Min Qty`, `Checked Out To: Location`)."""

STOPWORDS = """de, del, la, el, los, las, le, les, l, un, une, una, um, uma, d, du, des, do, da, dos, das, der, die, dem, den, the, a, an,
    of, for, in, en, em, im, am, an, y, e, et, und, and, o, ou, or, zu, zur, zum, au, aux, s, to, for, para, pour, für, this,
    each, cada, por, von, vom"""

OTHER_HEADINGS = """year, año, ano, année, jahr, month, day, color, colour, couleur, farbe, cor, size, tamaño, tamanho, taille, größe,
    weight, peso, poids, gewicht, height, width, length, ancho, largo, alto, altura, höhe, longueur, largeur, dimensions, dimensiones,
    dimensões, abmessungen, power, potencia, puissance, leistung, voltage, serial number, número de serie, número de série,
    numéro de série, seriennummer, serial, brand, marca, marque, marke, manufacturer, fabricante, fabricant, hersteller, supplier,
    company, empresa, price, precio, preço, prix, preis, cost, value, valor, wert, purchase date, fecha de compra, data de compra,
    date d'achat, kaufdatum, anschaffungsdatum, warranty, garantía, garantia, garantie, date, fecha, data, datum, owner, dueño,
    propietario, proprietário, propriétaire, besitzer, eigentümer, keeper, responsable, responsável, verantwortlich, contact, contacto,
    contato, kontakt, phone, teléfono, telefone, téléphone, telefon, email, e-mail, correo, courriel, website, web, url, link,
    sitio web, site web, webseite, photo, foto, image, imagen, imagem, bild, opening hours, horario, horário, horaires,
    öffnungszeiten, language, idioma, langue, sprache, source, fuente, fonte, quelle, version, min, max, minimum, maximum, mínimo,
    available, disponible, disponível, verfügbar, active, activo, ativo, aktiv, user, usuario, username, full name, first name,
    last name, vorname, nachname, string, number, boolean, integer, float, text, header, column, field, key, order number,
    technology, tecnología, technologie, materials, materiales, materiais, matériaux, materialien, build size, working area,
    deposit, depósito, caution, kaution, pfand, loan, préstamo, empréstimo, prêt, ausleihe, borrower, ausgeliehen an, prestado a"""
"""Headings that map to nothing, but show that a row is one of headings."""

VALUE_WORDS = """good, very good, fair, poor, bad, new, used, broken, excellent, ok, okay, worn, damaged, working, not working, gut, sehr gut,
    neu, gebraucht, defekt, kaputt, schlecht, bueno, buena, muy bueno, malo, regular, nuevo, nueva, usado, usada, roto, excelente, bom,
    boa, ótimo, ruim, novo, nova, quebrado, bon, bonne, bon état, neuf, usagé, mauvais, cassé, correct, moyen, yes, no, sí, si, ja,
    nein, oui, non, sim, não, true, false, wahr, falsch, vrai, faux, verdadero, falso, n/a, none, keine, unknown, unbekannt, available,
    fixed, repairable, kg, g, m, cm, mm, l, ml, pcs, stk"""
"""Cells that are values, not headings."""

CONDITION_WORDS = """good, very good, fair, poor, bad, new, like new, used, broken, excellent, ok, okay, worn, damaged, working,
    needs repair, gut, sehr gut, neu, neuwertig, gebraucht, defekt, kaputt, schlecht, bueno, buena, buen estado, muy bueno, malo, mala,
    regular, nuevo, nueva, usado, usada, roto, rota, excelente, operativo, averiado, dañado, bom, boa, bom estado, ótimo, ótima, ruim,
    novo, nova, quebrado, danificado, funcionando, bon, bonne, bon état, très bon, neuf, neuve, usagé, mauvais, cassé, moyen, correct,
    mittel, funktioniert, reparaturbedürftig, en reparación, em reparo, en panne, fonctionnel, disponible, disponível, prestado"""

OSM_PLACES = """village, town, hamlet, city, suburb, quarter, neighbourhood, isolated dwelling, locality, farm, island, islet, region,
    county, municipality, borough, allotments, square, plot, city block"""
"""Values of the OpenStreetMap key `place`: a kind of thing, no place to put one."""

LAST_WORDS_OF_CATEGORIES = "type, kind, art, typ"
"""At the end of an English or German heading: `Laser Type` is a kind of thing (but `type de prise` is no kind of this one)."""
