"""The category tree as a table: id | English | Spanish | Portuguese | French | process | words that mean it.

Below one id lie those that begin with it and a point. The order of the rows gives the numbers, so rows are added at will and an
index over numbers is then made anew (ORDER). process: what Open Know-Where calls the process of a machine, by the English
Wikipedia's name of it. words: folded as by `category_words`, of English, Spanish, Portuguese, French, German; a phrase is
joined by _. Ids are promises: records name them.
"""

ORDER = 1
"""Rises whenever rows are added or moved: category numbers of before mean something else then."""

TABLE = """
tools|Tools|Herramientas|Ferramentas|Outils||tool tools herramienta herramientas ferramenta ferramentas outil outils outillage werkzeug werkzeuge hand_tools power_tools
tools.garden|Garden tools|Herramientas de jardín|Ferramentas de jardim|Outils de jardin||garden gardening yard lawn jardin jardineria jardim jardinagem jardinage garten gartengerate gartenwerkzeug rake shovel spade hoe wheelbarrow hedge_trimmer pruner pruners shears loppers weeder edger lawnmower lawn_mower mower aerator leaf_blower trowel dibber rastrillo pala azada azadon carretilla podadora cortasetos cortacesped ancinho enxada carrinho_de_mao roçadeira rateau pelle beche brouette tondeuse secateur taille_haie rechen spaten schaufel hacke schubkarre rasenmaher heckenschere pitchfork cultivator tiller string_trimmer weed_whacker
tools.farm|Farm tools and machines|Herramientas y máquinas del campo|Ferramentas e máquinas agrícolas|Outils et machines agricoles||farm farming agriculture agricultural agricola agricole landwirtschaft tractor trator tracteur traktor auger post_hole_auger plough plow arado charrue pflug seeder sembradora semeadora semoir thresher trilladora batteuse baler sprayer fumigadora pulverizador motocultor rotavator harrow cosechadora ensiladora chipper wood_chipper haecksler hacksler log_splitter
tools.wood|Woodworking tools|Herramientas de carpintería|Ferramentas de marcenaria|Outils pour le bois||wood woodworking carpentry carpinteria marcenaria menuiserie holz holzbearbeitung saw saws circular_saw jigsaw mitre_saw miter_saw table_saw band_saw bandsaw chainsaw planer plane sander router chisel lathe clamp clamps sierra sierras motosierra serrucho lijadora cepillo caladora ingletadora escoplo formon serra motosserra lixadeira plaina tupia formao scie tronconneuse ponceuse rabot defonceuse sage stichsage kreissage kettensage hobel schleifer schleifmaschine frase meissel
tools.metal|Metalworking tools|Herramientas para metal|Ferramentas para metal|Outils pour le métal||metal metalworking metall metallbearbeitung welder welding soldadora soldador solda soldagem soudure poste_a_souder schweissgerat grinder angle_grinder amoladora esmeril esmoladora esmerilhadeira meuleuse winkelschleifer anvil yunque bigorna enclume amboss tap_and_die rivet riveter hacksaw
tools.building|Building tools|Herramientas de construcción|Ferramentas de construção|Outils de construction||building construction construccion construcao bau drill drills hammer_drill rotary_hammer demolition_hammer taladro taladros atornillador rotomartillo furadeira parafusadeira martelete perceuse visseuse perforateur bohrmaschine bohrhammer akkuschrauber bohrer cement_mixer concrete_mixer hormigonera mezcladora betoneira betonniere betonmischer scaffold scaffolding andamio andaime echafaudage gerust ladder ladders escalera escada echelle leiter tile_cutter masonry trowels level laser_level hammer hammers martillo martelo marteau hammer_set jackhammer impact_driver screwdriver destornillador nail_gun nailer stapler
tools.electric|Electrical tools|Herramientas eléctricas|Ferramentas elétricas|Outils électriques||electrical multimeter multimetro multimetre soldering_iron cautin ferro_de_solda fer_a_souder lotkolben wire_stripper elektro elektrik electricidad eletricidade electricite electricity
tools.plumbing|Plumbing tools|Herramientas de fontanería|Ferramentas de encanamento|Outils de plomberie||plumbing fontaneria plomeria encanamento plomberie sanitar pipe_wrench pipe_cutter drain_snake plunger
tools.automotive|Car and bicycle tools|Herramientas de taller|Ferramentas de oficina|Outils de garage||automotive car_tools bike_tools bicycle_tools jack jumper_cables torque_wrench wagenheber gato_hidraulico macaco_hidraulico cric
tools.painting|Painting and finishing|Pintura y acabado|Pintura e acabamento|Peinture et finition||paint painting pintura peinture malen farbe paint_sprayer wallpaper_steamer roller brush
tools.measuring|Measuring|Medición|Medição|Mesure||measuring measure measurement medicion medicao mesure messen tape_measure thermal_camera stud_finder caliper theodolite gps
machines|Machines|Máquinas|Máquinas|Machines||machine machines maquina maquinas maquinaria maschine maschinen equipment equipo equipamento equipement
machines.3d-printer|3D printers|Impresoras 3D|Impressoras 3D|Imprimantes 3D|3D printing|3d_printer 3d_printers 3d_printing impresora_3d impressora_3d imprimante_3d 3d_drucker fdm fff sla sls fused_deposition_modeling stereolithography
machines.laser-cutter|Laser cutters|Cortadoras láser|Cortadoras a laser|Découpeuses laser|Laser cutting|laser_cutter laser_cutting laser_engraver cortadora_laser cortadora_a_laser decoupeuse_laser lasercutter laserschneider co2_laser laser
machines.cnc-mill|CNC mills and routers|Fresadoras CNC|Fresadoras CNC|Fraiseuses CNC|Milling (machining)|cnc cnc_mill cnc_router milling_machine fresadora fraiseuse frasmaschine milling
machines.lathe|Metal lathes|Tornos|Tornos|Tours|Turning|metal_lathe torno tours_a_metaux drehbank turning
machines.vinyl-cutter|Vinyl cutters|Plóters de corte|Plotters de recorte|Découpeuses vinyle|Vinyl cutter|vinyl_cutter cutting_plotter plotter
machines.sewing|Sewing machines|Máquinas de coser|Máquinas de costura|Machines à coudre|Sewing|sewing sewing_machine maquina_de_coser maquina_de_costura machine_a_coudre nahmaschine overlock serger costura couture coser
machines.embroidery|Embroidery machines|Bordadoras|Bordadeiras|Brodeuses|Embroidery|embroidery bordadora bordadeira brodeuse stickmaschine
machines.welding|Welding machines|Equipos de soldadura|Máquinas de solda|Postes à souder|Welding|mig_welder tig_welder arc_welder plasma_cutter
machines.moulding|Moulding and casting|Moldeo y fundición|Moldagem e fundição|Moulage et fonderie|Injection moulding|injection_moulding injection_molding vacuum_forming kiln horno_ceramico
machines.press|Presses and bending|Prensas y dobladoras|Prensas e dobradeiras|Presses et plieuses|Bending (metalworking)|press_brake hydraulic_press bending prensa presse
machines.electronics|Electronics workbench|Banco de electrónica|Bancada de eletrônica|Atelier d'électronique|Electronics|electronics electronica eletronica electronique elektronik oscilloscope osciloscopio pick_and_place
machines.printing|Printing and paper|Imprenta y papel|Gráfica e papel|Imprimerie et papier|Printing|printing printer screen_printing serigrafia serigraphie siebdruck imprenta printing_press bookbinding
machines.food|Food processing|Procesamiento de alimentos|Processamento de alimentos|Transformation alimentaire|Food processing|mill grain_mill molino moinho moulin muhle press_juice cider_press oil_press despulpadora
household|Household|Hogar|Casa|Maison||household home hogar casa lar maison haushalt domestic
household.kitchen|Kitchen|Cocina|Cozinha|Cuisine||kitchen kitchenware cocina cozinha cuisine kuche cooking baking appliance appliances blender mixer pressure_cooker food_dehydrator canner canning juicer ice_cream_maker waffle_iron dehydrator raclette fondue
household.cleaning|Cleaning|Limpieza|Limpeza|Nettoyage||cleaning limpieza limpeza nettoyage reinigung vacuum vacuum_cleaner aspiradora aspirador aspirateur staubsauger carpet_cleaner pressure_washer hidrolavadora lavadora_de_alta_pressao nettoyeur_haute_pression hochdruckreiniger steam_cleaner
household.furniture|Furniture|Muebles|Móveis|Meubles||furniture mueble muebles movel moveis meuble meubles mobel chair chairs silla sillas cadeira chaise stuhl table tables mesa mesas tisch bench canopy tent_canopy
household.care|Care and health|Cuidado y salud|Cuidado e saúde|Soin et santé||health salud saude sante gesundheit wheelchair silla_de_ruedas cadeira_de_rodas fauteuil_roulant rollstuhl crutches muletas bequilles medical
household.children|For children|Para niños|Para crianças|Pour enfants||children kids ninos criancas enfants kinder toy toys juguete juguetes brinquedo brinquedos jouet jouets spielzeug baby stroller puzzle puzzles
leisure|Leisure|Ocio|Lazer|Loisirs||leisure ocio lazer loisirs freizeit recreation outdoor hobby hobbies
leisure.camping|Camping|Acampada|Acampamento|Camping||camping tent tents carpa tienda_de_campana barraca tente zelt sleeping_bag backpack mochila sac_a_dos rucksack camping_stove lantern
leisure.sports|Sports|Deportes|Esportes|Sports||sport sports deporte deportes esporte esportes ball kayak canoe snowshoes ski skis fitness
leisure.games|Games|Juegos|Jogos|Jeux||game games juego juegos jogo jogos jeu jeux spiel spiele board_game board_games
leisure.music|Musical instruments|Instrumentos musicales|Instrumentos musicais|Instruments de musique||music musica musique musik musical_instrument musical_instruments guitar guitarra guitare gitarre ukulele drum piano keyboard
leisure.events|Events|Eventos|Eventos|Fêtes||event events evento eventos fete veranstaltung party party_supplies sound_system speaker microphone projector proyector projetor projecteur beamer screen pa_system
leisure.arts|Arts and crafts|Artes y oficios|Artes e ofícios|Arts et artisanat||art arts craft crafts arte artesania artesanato artisanat basteln knitting weaving pottery loom
media|Books and devices|Libros y aparatos|Livros e aparelhos|Livres et appareils||media medien
media.books|Books|Libros|Livros|Livres||book books libro libros livro livros livre livres buch bucher
media.computers|Computers|Computadoras|Computadores|Ordinateurs||computer computers laptop laptops computadora computador ordenador ordinateur rechner tablet tablets desktop hotspot chromebook monitor software_license
media.photo|Photo and video|Foto y vídeo|Foto e vídeo|Photo et vidéo||camera cameras camara fotografia photo photography fotografie kamera video tripod scanner dvd telescope telescopio microscope binoculars
media.phones|Telephones and radio|Teléfonos y radio|Telefones e rádio|Téléphones et radio||phone phones telefono telefone telephone telefon walkie_talkie radio mobile_phones
transport|Transport|Transporte|Transporte|Transport||transport transporte vehicle vehicles vehiculo veiculo vehicule fahrzeug
transport.bicycle|Bicycles|Bicicletas|Bicicletas|Vélos||bicycle bicycles bike bikes bicicleta bicicletas bici velo velos fahrrad fahrrader cargo_bike lastenrad bike_trailer bike_rack
transport.trailer|Trailers and carts|Remolques|Reboques|Remorques||trailer trailers remolque reboque remorque anhanger cart hand_truck dolly carrito
transport.car|Cars and vans|Autos y camionetas|Carros e vans|Voitures||car cars auto carro coche voiture van camioneta furgoneta truck camion lastwagen
transport.boat|Boats|Barcos|Barcos|Bateaux||boat boats barco bote bateau boot lancha
energy|Energy and water|Energía y agua|Energia e água|Énergie et eau||energy energia energie
energy.solar|Solar|Solar|Solar|Solaire||solar solaire solar_panel solar_oven panel_solar painel_solar photovoltaic
energy.generator|Generators and batteries|Generadores y baterías|Geradores e baterias|Groupes électrogènes||generator generador gerador generateur groupe_electrogene stromgenerator battery bateria batterie inverter kill_a_watt
energy.water|Water|Agua|Água|Eau||water agua eau wasser pump bomba pompe pumpe bomba_de_agua water_pump water_filter rainwater irrigation riego irrigacao
materials|Materials|Materiales|Materiais|Matériaux||material materials materiales materiais materiaux materialien consumable consumables consumibles
materials.seed|Seeds and plants|Semillas y plantas|Sementes e plantas|Semences et plantes||seed seeds semilla semillas semente sementes semence semences saatgut plant plants planta plantas fertilizer abono adubo
materials.food|Food|Alimentos|Alimentos|Aliments||food alimento alimentos comida aliment aliments lebensmittel fruit vegetables
materials.building|Building materials|Materiales de construcción|Materiais de construção|Matériaux de construction||lumber timber madera madeira bois brick bricks cement cemento cimento ciment sand bretter
places|Places|Lugares|Lugares|Lieux||places lugares lieux orte place lugar lieu
places.workshop|Workshops and makerspaces|Talleres y makerspaces|Oficinas e makerspaces|Ateliers et makerspaces||workshop makerspace makerspaces fablab fab_lab fab_labs hackerspace hackspace taller oficina atelier werkstatt offene_werkstatt repair_cafe
places.market|Markets|Mercados y ferias|Feiras e mercados|Marchés||market markets marketplace mercado feria feira feira_livre marche markt wochenmarkt
places.land|Land|Tierra|Terra|Terrain||land landuse tierra terreno terra terrain grundstuck parcel plot allotments farmland forest orchard meadow grass wood residential industrial garages
places.garden|Community gardens|Huertos comunitarios|Hortas comunitárias|Jardins partagés||community_garden huerto huerta horta potager gemeinschaftsgarten
places.room|Rooms and halls|Salas|Salas|Salles||room rooms hall sala salon salao salle raum saal meeting_room
places.parking|Parking|Aparcamiento|Estacionamento|Parking||parking parking_lot aparcamiento estacionamiento estacionamento parkplatz bicycle_parking bike_station
places.shop|Shops and services|Tiendas y servicios|Lojas e serviços|Commerces et services||shop store tienda loja boutique magasin laden cafe restaurant
skills|Skills and help|Saberes y ayuda|Saberes e ajuda|Savoirs et aide||skill skills service services servicio servicios servico servicos hilfe ayuda ajuda aide help
skills.repair|Repair|Reparación|Conserto|Réparation||repair reparacion conserto reparation reparatur
skills.teaching|Teaching|Enseñanza|Ensino|Enseignement||teaching course workshop_course curso cours kurs tutoring ensenanza
"""
