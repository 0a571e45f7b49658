//! What the words around a date make of it: the day back, the last day away, the first day away, or nothing to do with it.
//! Written without accents; one that begins or ends with a letter stands for whole words there unless `*` follows.

/// Says that somebody is back.
#[rustfmt::skip]
pub(super) const RETURN: &[&str] = &[
    "back", "return*", "resum*", "available again", "be available", "am available", "reachable again",
    "in the office again", "at my desk", "at work again", "online again", "rejoin*", "in office again", "reopen*", "next working day", "zuruck", "zurueck", "wieder",
    "melde mich", "melden wir uns", "ruckkehr*", "rueckkehr*", "zuruckkehr*", "zuruckgekehrt", "de retour", "retour",
    "reviens", "reviendrai", "reprends", "reprendrai", "reprise", "rentre", "rentrerai", "de nouveau", "a nouveau",
    "de vuelta", "vuelta", "regreso", "vuelvo", "volvere", "regresare", "reincorpor*", "incorpor*", "retorno", "de regreso",
    "estare disponible", "nuevamente", "volveremos", "regresa*", "de volta", "regresso", "regressarei", "regressando",
    "voltarei", "volto", "voltando", "voltamos", "retornarei", "estarei disponivel", "novamente", "retornando",
    "regressamos", "di ritorno", "rientro", "rientrero", "tornero", "torno", "ritorno", "di nuovo", "nuovamente",
    "ritornero", "sara di ritorno", "riapr*", "terug", "weer", "terugkom*", "terugkeer", "opnieuw", "tillbaka",
    "ater", "tilbake", "tilbage", "igen", "atter", "retur", "aterkommer", "tillbaks", "takaisin", "palaan",
    "palaamme", "palaa", "jalleen", "paluu*", "toissa", "wracam", "wroce", "powroc*", "z powrotem", "powrot*",
    "ponownie", "znow", "bede dostepn*", "wracamy", "vratim", "zpet", "spat", "navrat*", "opet", "znovu", "zpatky",
    "vraci*", "budu k dispozici", "opat", "vracam", "vratit cu", "natrag", "povrat*", "ponovno", "nazaj", "vrnem",
    "vrnila", "spet", "visszater*", "vissza", "ujra", "ismet", "visszajov*", "visszaerkez*", "revin", "intorc",
    "reveni*", "inapoi", "din nou", "revenire*", "reintorc", "intoarce*", "intoarc", "вернусь", "вернемся",
    "возвращ*", "выйду", "выхожу", "снова", "буду на месте", "буду доступ*", "буду на работе", "вновь", "приступлю",
    "повернусь", "поверну*", "поверта*", "повернен*", "знову", "връщам", "върна", "отново", "завръщ*", "επιστρεφ*", "επιστρεψ*",
    "επιστροφη*", "πισω", "ξανα", "και παλι", "παλι", "donecegim", "donuyorum", "donus*", "geri", "tekrar", "yeniden",
    "ofiste olacagim", "donecek*", "isbasi*", "戻*", "以降*", "復帰*", "出社*", "再開*", "返回*", "回来*", "回到*", "回來*", "恢复*",
    "恢復*", "上班*", "返岗*", "返工*", "销假*", "복귀*", "돌아*", "출근*", "재개*", "より通常*", "から通常*", "から営業*", "より営業*", "אחזור",
    "חוזר*", "אשוב", "سأعود", "العودة", "أعود", "tro lai", "quay lai", "kembali", "tagasi", "tornare", "de tornada",
    "torno",
];

/// Says that it lasts until then, before the date.
#[rustfmt::skip]
pub(super) const UNTIL: &[&str] = &[
    "until", "till", "til", "'til", "untill", "through", "thru", "up to", "up until", "ending", "ends", "end date",
    "last day", "to and including", "bis", "bis zum", "bis einschliesslich", "bis einschl.", "bis inkl.", "jusqu*",
    "hasta", "ate", "fino", "sino al", "tot", "t/m", "tot en met", "t.o.m.", "t.o.m", "tom", "t o m", "tom.",
    "frem til", "til og med", "fram till", "fram til", "do", "az do", "do dnia", "до", "по", "pana la", "pana pe",
    "pana in", "pana", "εωσ", "μεχρι", "ωσ", "直到", "至", "到", "עד", "حتى", "إلى", "den het", "hingga", "sampai",
    "fins", "kuni", "iki", "lidz",
];
/// The same, behind the date.
#[rustfmt::skip]
pub(super) const UNTIL_AFTER: &[&str] = &[
    "kadar", "asti", "saakka", "まで", "까지", "为止", "為止", "之前", "tarihine", "-ig", "ig", "eig", "kozott", "kozotti",
    "dek", "arasinda", "valisen ajan", "inclusive", "kuni",
];

/// Says that it begins then, before the date.
#[rustfmt::skip]
pub(super) const FROM: &[&str] = &[
    "from", "starting", "starting on", "as of", "as from", "beginning", "since", "effective", "ab", "ab dem", "vom",
    "seit", "seit dem", "von", "du", "depuis", "a partir du", "a compter du", "des le", "desde", "desde el", "del",
    "a partir del", "a partir de", "do dia", "dal", "a partire dal", "da", "van", "vanaf", "fran", "fran och med",
    "fr.o.m.", "fr.o.m", "fra", "fra og med", "od", "od dnia", "pocinaje", "с", "со", "з", "із", "від", "από", "απο",
    "din", "de la", "incepand cu", "incepand din", "从", "自", "dari", "tu ngay", "alates", "nuo", "מ", "من",
];
/// The same, behind the date.
pub(super) const FROM_AFTER: &[&str] =
    &["から", "より", "부터", "alkaen", "lahtien", "itibaren", "itibariyle", "起", "tol", "-tol", "jetol", "etol"];

/// A date that is no absence: of a mail, of an offer, of an event.
#[rustfmt::skip]
pub(super) const UNRELATED: &[&str] = &[
    "sent on", "sent", "dated", "you wrote", "your message of", "your email of", "received on", "received", "wrote",
    "gesendet am", "vom absender", "ihre nachricht vom", "ihre e-mail vom", "ihre mail vom", "valid until",
    "valid till", "valid through", "offer", "register", "registration", "deadline", "apply by", "gultig bis",
    "angebot", "anmelden", "anmeldung", "envoye le", "votre message du", "votre mail du", "offre", "inscription*",
    "valable", "enviado el", "su mensaje del", "oferta", "inscri*", "inscripci*", "inscrico*", "iscrizion*", "inschrijv*", "aanmeld*", "abiert*", "born", "founded", "established", "copyright",
    "©", "version", "published", "updated", "modified", "last change", "open until", "discount", "promo*",
];

/// Says that somebody is away: for lengths of time ("for two weeks").
#[rustfmt::skip]
pub(super) const AWAY: &[&str] = &[
    "out of", "away", "vacation", "holiday*", "leave", "absent", "absence", "not be available", "unavailable", "off",
    "out", "travel*", "closed", "offline", "urlaub*", "abwesend", "abwesen*", "ausser haus", "nicht im",
    "nicht erreichbar", "unterwegs", "conge*", "vacances", "absent*", "indisponible", "en deplacement", "vacaciones",
    "ausente", "fuera", "ferias", "fora", "ferie", "assente", "fuori", "vakantie", "afwezig*", "verlof", "semester*",
    "ledig", "borta", "ferie", "fravaer*", "bortreist", "bortrest*", "lomalla", "poissa", "urlop*", "nieobecn*",
    "dovolen*", "nepritom*", "mimo", "отпуск*", "отсутств*", "командировк*", "відпуст*", "відсут*", "izin*", "tatil*",
    "yokum", "szabadsag*", "tavol", "concediu", "absent*", "plecat*", "αδεια", "απουσιαζω", "λειπω", "休暇", "不在", "休み",
    "休假", "外出", "出差", "휴가", "부재",
];

/// Says that it is not before then: a word of denial, and further on, right before the date, the word for "before".
pub(super) const NOT_BEFORE: &[(&str, &str)] = &[
    ("not", "before"),
    ("n't", "before"),
    ("unable", "before"),
    ("unavailable", "before"),
    ("nicht", "vor"),
    ("nicht", "vor dem"),
    ("pas", "avant"),
    ("pas", "avant le"),
    ("no", "antes"),
    ("no", "antes de"),
    ("no", "antes del"),
    ("nao", "antes"),
    ("nao", "antes de"),
    ("nao", "antes do"),
    ("non", "prima"),
    ("non", "prima del"),
    ("niet", "voor"),
    ("inte", "fore"),
    ("ikke", "for"),
    ("nie", "przed"),
    ("не", "раньше"),
    ("не", "ранее"),
];

/// An hour rather than a day follows or precedes.
pub(super) const CLOCK_BEFORE: &[&str] = &[
    "klo",
    "kl",
    "kl.",
    "um",
    "at",
    "a las",
    "alle",
    "godz.",
    "godzin*",
    "saat",
    "om",
    "ore",
    "ora",
    "в",
    "час*",
    "à",
    "ώρα",
    "από τις",
];
pub(super) const CLOCK_AFTER: &[&str] = &[
    "uhr", "h", "hrs", "hours", "am", "pm", "a.m", "p.m", "o'clock", "uur", "heures", "horas", "ore", "час", "hod",
    "orakor", "saat", "시", "時", "点", "點",
];
/// What the office is open, not closed.
pub(super) const OPENING: &[&str] = &[
    "opening hours",
    "office hours",
    "business hours",
    "working hours",
    "available from",
    "reach us",
    "offnungszeiten",
    "geschaftszeiten",
    "burozeiten",
    "horaires",
    "horario",
    "orari",
    "openingstijden",
    "oppettider",
    "abningstider",
    "apningstider",
];

/// The next of its kind, before a weekday, a week or a month.
#[rustfmt::skip]
pub(super) const NEXT: &[&str] = &[
    "next", "following", "coming", "kommend*", "nachst*", "naechst*", "folgend*", "prochain*", "suivant*", "proxim*",
    "siguiente", "que viene", "que vem", "prossim*", "volgend*", "komend*", "nasta", "kommande", "neste", "naeste",
    "ensi", "seuraava*", "przyszl*", "nastepn*", "najblizsz*", "pristi", "dalsi", "nasledujic*", "buduc*",
    "nasledujuc*", "следующ*", "ближайш*", "наступн*", "следващ*", "εποεμεν*", "επομεν*", "ερχομεν*", "gelecek",
    "onumuzdeki", "haftaya", "jovo", "kovetkezo", "urmatoare*", "viitoare", "来", "翌", "下", "다음", "depan", "sau",
];
