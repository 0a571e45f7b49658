//! The names of months, weekdays, numbers and lengths of time, without accents, in the languages that are read.
//! An entry stands for the whole word; with `*` up to six more letters may follow.

/// Months: English, German, Dutch, Nordic, Romance, Slavic, Baltic, Finnish, Estonian, Hungarian, Greek, Turkish,
/// Indonesian, Hebrew, Arabic and Thai.
#[rustfmt::skip]
pub(super) const MONTHS: [&[&str]; 12] = [
    &["january", "januar*", "janner", "jaenner", "janvier", "enero", "janeiro", "gennaio", "gener", "tammiku*",
        "styczen", "styczni*", "leden", "ledna", "lednu", "январ*", "січ*", "януар*", "ιανουαρ*", "γεναρ*", "ocak*",
        "ianuarie", "sijec*", "sausio", "janvar*", "jaanuar*", "בינואר", "ינואר", "يناير", "มกราคม"],
    &["february", "februar*", "feber", "fevrier", "febrero", "fevereiro", "febbraio", "febrer", "helmiku*", "luty",
        "lutego", "lutym", "unor*", "феврал*", "лютого", "лютий", "φεβρουαρ*", "φλεβαρ*", "subat*", "veljac*",
        "vasario", "veebruar*", "בפברואר", "פברואר", "فبراير", "กุมภาพันธ์"],
    &["march", "marz", "maerz", "mars", "marzo", "marco", "maart", "maaliskuu*", "marzec", "marca", "marcu", "marec",
        "brezen", "brezna", "breznu", "март*", "берез*", "μαρτι*", "μαρτη*", "mart", "marcius*", "martie", "ozuj*",
        "kovo", "marta", "marts", "martsi*", "במרץ", "מרץ", "مارس", "มีนาคม", "maret"],
    &["april", "aprili*", "avril", "abril", "aprile", "apryla", "huhtiku*", "kwiecien", "kwietni*", "duben", "dubna",
        "dubnu", "апрел*", "квіт*", "април*", "απριλ*", "nisan", "aprilis*", "aprila", "travanj", "travnj*",
        "balandzio", "aprill*", "באפריל", "אפריל", "أبريل", "ابريل", "เมษายน"],
    &["may", "mai", "mayo", "maio", "maggio", "maig", "mei", "maj", "toukoku*", "maja", "kveten", "kvetna", "kvetnu",
        "мая", "май", "мае", "трав*", "μαιου", "μαιο", "μαιοσ", "mayis", "majus*", "maijs", "maija", "svib*",
        "geguzes", "במאי", "מאי", "مايو", "พฤษภาคม"],
    &["june", "juni", "juin", "junio", "junho", "giugno", "juny", "kesaku*", "czerwiec", "czerwc*", "cerven",
        "cervna", "cervnu", "juna", "июн*", "черв*", "юни", "ιουνι*", "haziran*", "junius*", "iunie",         "lipanj", "lipnja", "birzelio", "juunis", "juuni*", "junija", "junij", "ביוני", "יוני", "يونيو", "มิถุนายน"],
    &["july", "juli", "juillet", "julio", "julho", "luglio", "juliol", "heinaku*", "lipiec", "lipca", "lipcu",
        "cervenec", "cervenc*", "jula", "июл*", "лип*", "юли", "ιουλι*", "temmuz*", "julius*", "iulie", "srpanj",
        "srpnja", "liepos", "julijs", "juuli*", "julija", "julij", "ביולי", "יולי", "يوليو", "กรกฎาคม"],
    &["august", "augusta", "aout", "agosto", "agost", "augustus", "augusti*", "eloku*", "sierpien", "sierpni*",
        "srpen", "srpna", "srpnu", "август*", "серп*", "αυγουστ*", "agustos*", "augusztus*", "kolovoz*", "rugpjucio",
        "avgust*", "באוגוסט", "אוגוסט", "أغسطس", "اغسطس", "สิงหาคม", "agustus"],
    &["september", "septembr*", "septembre", "septiembre", "setiembre", "setembro", "settembre", "setembre",
        "syysku*", "wrzesien", "wrzesni*", "zari", "сентябр*", "верес*", "септемвр*", "σεπτεμβρ*", "eylul*",
        "szeptember*", "rujan", "rujna", "rugsejo", "בספטמבר", "ספטמבר", "سبتمبر", "กันยายน"],
    &["october", "oktober", "oktobr*", "octobre", "octubre", "outubro", "ottobre", "lokaku*", "pazdziernik*", "rijen",
        "rijna", "rijnu", "октябр*", "жовт*", "октомвр*", "οκτωβρ*", "ekim*", "octombrie", "oktober*",         "spalio", "oktoobr*", "באוקטובר", "אוקטובר", "أكتوبر", "اكتوبر", "ตุลาคม"],
    &["november", "novembr*", "novembre", "noviembre", "novembro", "marrasku*", "listopad*", "ноябр*", "листопад*",
        "ноемвр*", "νοεμβρ*", "kasim*", "noiembrie", "studen*", "lapkricio", "בנובמבר", "נובמבר", "نوفمبر",
        "พฤศจิกายน", "nopember"],
    &["december", "decembr*", "dezember", "decembre", "diciembre", "dezembro", "dicembre", "desembre", "desember",
        "jouluku*", "grudzien", "grudni*", "prosinec", "prosinc*", "декабр*", "грудня", "грудень", "декемвр*",
        "δεκεμβρ*", "aralik*", "decembrie", "prosinac", "gruodzio", "detsembr*", "בדצמבר", "דצמבר", "ديسمبر",
        "ธันวาคม"],
];
/// Croatian names that mean another month in Czech and Polish.
pub(super) const MONTHS_CROATIAN: &[(&str, u8)] = &[("listopad*", 10)];

/// Short names of months, which count beside a day only.
#[rustfmt::skip]
pub(super) const MONTHS_SHORT: [&[&str]; 12] = [
    &["jan", "janv", "ene", "gen", "янв", "oca", "sty", "led", "ian", "tammi", "ιαν"],
    &["feb", "febr", "fevr", "fev", "фев", "февр", "sub", "lut", "helmi", "φεβ"],
    &["mar", "mrt", "mrz", "мар", "maalis", "μαρ"],
    &["apr", "avr", "abr", "апр", "kwi", "dub", "huhti", "απρ"],
    &["may", "mag", "kve", "touko", "maj"],
    &["jun", "giu", "июн", "cze", "haz", "iun", "kesa", "ιουν"],
    &["jul", "juil", "lug", "июл", "lip", "cvc", "tem", "iul", "heina", "ιουλ"],
    &["aug", "avg", "авг", "sie", "srp", "agu", "ago", "elo", "αυγ"],
    &["sep", "sept", "сен", "сент", "wrz", "eyl", "szept", "set", "syys", "σεπ"],
    &["oct", "okt", "ott", "окт", "paz", "rij", "eki", "out", "loka", "οκτ"],
    &["nov", "ноя", "нояб", "lis", "kas", "noi", "marras", "νοε"],
    &["dec", "dez", "dic", "des", "дек", "gru", "ara", "joulu", "δεκ"],
];
/// Names of months that are words of their own in English.
#[rustfmt::skip]
pub(super) const NOT_IN_ENGLISH: &[&str] = &[
    "out", "set", "ago", "sub", "mag", "lip", "gen", "led", "lug", "elo", "des", "mart", "marts", "mars", "dub",
    "marta", "mei", "lis", "sty",
];

/// Weekdays, Monday first.
#[rustfmt::skip]
pub(super) const WEEKDAYS: [&[&str]; 7] = [
    &["monday", "mondays", "montag*", "lundi", "lunes", "segunda-feira", "segunda", "lunedi", "maandag", "mandag",
        "maanantai*", "poniedzial*", "pondel*", "понедельник*", "понеділ*", "понеделник*", "δευτερα*", "pazartesi*",
        "hetfo*", "luni", "ponedj*", "ponedel*", "pirmadien*", "dilluns", "月曜", "周一", "週一", "星期一", "礼拜一", "월요일",
        "senin", "thu hai", "יום שני", "الاثنين", "الإثنين", "esmaspaev*", "วันจันทร์"],
    &["tuesday", "dienstag*", "mardi", "martes", "terca-feira", "martedi", "dinsdag", "tisdag*", "tirsdag",
        "tiistai*", "wtorek", "wtork*", "utery", "utorok", "utorka", "utorak", "вторник*", "вівтор*", "τριτη*",
        "sali", "kedd*", "marti", "torek", "antradien*", "dimarts", "火曜", "周二", "週二", "星期二", "화요일", "selasa",
        "thu ba", "יום שלישי", "الثلاثاء", "teisipaev*"],
    &["wednesday", "mittwoch*", "mercredi", "miercoles", "quarta-feira", "mercoledi", "woensdag", "onsdag*",
        "keskiviik*", "sroda", "srode", "srody", "streda", "stredu", "stredy", "среда", "среду", "среды", "серед*",
        "сряда", "τεταρτη*", "carsamba*", "szerda*", "szerdan", "miercuri", "srijed*", "treciadien*", "dimecres",
        "水曜", "周三", "週三", "星期三", "수요일", "rabu", "thu tu", "יום רביעי", "الأربعاء", "kolmapaev*"],
    &["thursday", "donnerstag*", "jeudi", "jueves", "quinta-feira", "giovedi", "donderdag", "torsdag*", "torstai*",
        "czwart*", "ctvrt*", "stvrtok", "четверг*", "четвер*", "четвъртък", "πεμπτη*", "persembe*", "csutortok*",
        "joi", "cetvrtak", "cetrtek", "ketvirtadien*", "dijous", "木曜", "周四", "週四", "星期四", "목요일", "kamis", "thu nam",
        "יום חמישי", "الخميس", "neljapaev*"],
    &["friday", "freitag*", "vendredi", "viernes", "sexta-feira", "venerdi", "vrijdag", "fredag*", "perjantai*",
        "piatek", "piatk*", "patek", "patku", "patk*", "piatok", "piatka", "пятниц*", "ятниц*", "петък", "παρασκευη*",
        "cuma", "pentek*", "vineri", "petak", "petek", "penktadien*", "divendres", "金曜", "周五", "週五", "星期五", "금요일",
        "jumat", "thu sau", "יום שישי", "الجمعة", "reede*"],
    &["saturday", "samstag*", "sonnabend", "samedi", "sabado", "sabato", "zaterdag", "lordag", "lauantai*", "sobot*",
        "суббот*", "субот*", "събота", "σαββατο*", "cumartesi*", "szombat*", "sambata", "subot*", "sestadien*",
        "dissabte", "土曜", "周六", "週六", "星期六", "토요일", "sabtu", "thu bay", "السبت", "laupaev*"],
    &["sunday", "sonntag*", "dimanche", "domingo", "domenica", "zondag", "sondag*", "sunnuntai*", "niedziel*",
        "nedel*", "воскресен*", "неділю", "неділі", "неделя", "κυριακη*", "pazar", "vasarnap*", "duminica",
        "nedjelj*", "sekmadien*", "diumenge", "日曜", "周日", "週日", "星期日", "星期天", "일요일", "chu nhat", "יום ראשון", "الأحد",
        "puhapaev*"],
];
/// English short forms, as words of their own, with or without a full stop.
pub(super) const WEEKDAYS_SHORT: [&[&str]; 7] =
    [&["mon"], &["tue", "tues"], &["wed", "weds"], &["thu", "thur", "thurs"], &["fri"], &[], &[]];

/// Words for one to twelve.
#[rustfmt::skip]
pub(super) const NUMBERS: [&[&str]; 12] = [
    &["one", "a", "an", "ein", "eine", "einem", "einer", "einen", "un", "une", "una", "uno", "um", "uma", "een", "en",
        "ett", "et", "yksi", "yhden", "jeden", "jedna", "jednu", "jedno", "один", "одну", "однією", "bir", "egy", "o",
        "μια", "ενα", "一", "한"],
    &["two", "zwei", "deux", "dos", "duas", "dois", "due", "twee", "tva", "to", "kaksi", "kahden", "dwa", "dwie",
        "dwoch", "dva", "dve", "dvou", "два", "две", "двух", "дві", "двох", "iki", "ket", "ketto", "doua", "doi",
        "δυο", "二", "两", "兩", "두", "couple of", "couple"],
    &["three", "drei", "trois", "tres", "tre", "drie", "kolme", "kolmen", "trzy", "trzech", "tri", "три", "трех",
        "uc", "harom", "trei", "τρεισ", "τρια", "三", "세"],
    &["four", "vier", "quatre", "cuatro", "quatro", "quattro", "fyra", "fire", "nelja", "neljan", "cztery",
        "czterech", "ctyri", "styri", "четыре", "чотири", "dort", "negy", "patru", "τεσσερισ", "四", "네"],
    &["five", "funf", "fuenf", "cinq", "cinco", "cinque", "vijf", "fem", "viisi", "viiden", "piec", "pieciu", "pet",
        "пять", "пяти", "bes", "ot", "cinci", "πεντε", "五", "다섯"],
    &["six", "sechs", "seis", "sei", "zes", "sex", "seks", "kuusi", "szesc", "sest", "шесть", "шість", "alti", "hat",
        "sase", "εξι", "六"],
    &["seven", "sieben", "sept", "siete", "sete", "sette", "zeven", "sju", "syv", "siedem", "sedm", "sedem", "семь",
        "yedi", "七"],
    &["eight", "acht", "huit", "ocho", "oito", "otto", "atta", "otte", "atte", "osiem", "osm", "osem", "восемь",
        "sekiz", "nyolc", "八"],
    &["nine", "neun", "neuf", "nueve", "nove", "negen", "nio", "ni", "devet", "девять", "dokuz", "kilenc", "九"],
    &["ten", "zehn", "dix", "diez", "dez", "dieci", "tien", "tio", "ti", "dziesiec", "deset", "десять", "on", "tiz",
        "zece", "十"],
    &["eleven", "elf", "onze", "once", "undici", "elva", "elleve"],
    &["twelve", "zwolf", "zwoelf", "douze", "doce", "doze", "dodici", "twaalf", "tolv"],
];

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    WorkDay,
    Week,
    Month,
}

/// Words for lengths of time.
#[rustfmt::skip]
pub(super) const UNITS: &[(Unit, &[&str])] = &[
    (Unit::WorkDay, &["working day", "working days", "business day", "business days", "work days", "arbeitstag*",
        "werktag*", "jours ouvres", "jours ouvrables", "dias laborables", "dias habiles", "dias uteis",
        "giorni lavorativi", "werkdag*", "arbetsdag*", "arbejdsdag*", "virkedag*", "dni roboczych", "рабочих дн*"]),
    (Unit::Day, &["day", "days", "tag", "tage", "tagen", "jour", "jours", "dia", "dias", "giorno", "giorni", "dag",
        "dagen", "dagar", "dage", "dager", "paiva", "paivaa", "paivan", "dni", "dny", "dnu", "дня", "дней", "дні",
        "днів", "gun", "nap", "napot", "napig", "zile", "ημερ*", "μερεσ", "日間", "天", "일"]),
    (Unit::Week, &["week", "weeks", "woche", "wochen", "semaine", "semaines", "semana", "semanas", "settimana",
        "settimane", "weken", "vecka", "veckor", "uke", "uker", "uge", "uger", "viikko", "viikkoa", "viikon",
        "tydzien", "tygodn*", "tygodni", "tyden", "tydny", "tydnu", "tyzden", "tyzdn*", "недел*", "тижд*", "тижн*",
        "hafta*", "het", "hetet", "hetig", "hetre", "saptaman*", "εβδομαδ*", "週間", "周", "週", "주", "minggu", "tuan",
        "setman*", "nadal*"]),
    (Unit::Month, &["month", "months", "monat*", "mois", "mes", "meses", "mesi", "mese", "maand*", "manad*", "maned*",
        "kuukau*", "miesiac*", "miesiec*", "mesic*", "mesiac*", "месяц*", "місяц*", "honap*", "luni", "luna", "μηνα",
        "μηνεσ", "か月", "ヶ月", "ヵ月", "个月", "個月", "개월"]),
];

/// A day told by its distance from today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relative {
    Tomorrow,
    AfterTomorrow,
    /// The Monday of the next week.
    NextWeek,
    /// The first of the next month.
    NextMonth,
    /// The Friday of this week.
    WeekEnd,
    /// The Friday of the next week.
    NextWeekEnd,
    MonthEnd,
    NewYear,
}

#[rustfmt::skip]
pub(super) const RELATIVES: &[(Relative, &[&str])] = &[
    (Relative::AfterTomorrow, &["day after tomorrow", "ubermorgen", "uebermorgen", "apres-demain", "apres demain",
        "pasado manana", "depois de amanha", "dopodomani", "overmorgen", "i overmorgen", "i overmorgon", "overmorgon",
        "ylihuomenna", "pojutrze", "pozitri", "pozajtra", "holnaputan", "poimaine", "послезавтра", "післязавтра",
        "μεθαυριο", "obur gun", "明後日", "后天", "後天", "모레"]),
    (Relative::Tomorrow, &["tomorrow", "morgen", "demain", "manana", "amanha", "domani", "imorgon", "i morgon",
        "i morgen", "huomenna", "huomiseen", "jutro", "jutra", "zitra", "zitrka", "zajtra", "holnap*", "maine",
        "завтра", "утре", "αυριο", "yarin*", "明日", "明天", "내일", "מחר", "غدا", "besok", "ngay mai", "sutra", "jutri",
        "dema", "homme"]),
    (Relative::NextWeekEnd, &["end of next week", "end of the next week", "ende der nachsten woche",
        "ende nachster woche", "ende der kommenden woche", "fin de la semaine prochaine",
        "final de la proxima semana", "fim da proxima semana", "fine della prossima settimana",
        "einde van volgende week", "eind volgende week", "slutet av nasta vecka", "slutten av neste uke",
        "slutningen af naeste uge", "ensi viikon loppuun", "konca przyszlego tygodnia", "konce pristiho tydne",
        "konca buduceho tyzdna", "конца следующей недели", "下週末", "下周末", "来週末"]),
    (Relative::WeekEnd, &["end of the week", "end of this week", "end of week", "ende der woche", "ende dieser woche",
        "wochenende", "fin de la semaine", "fin de semaine", "fin de semana", "final de la semana", "final de semana",
        "fim da semana", "fine settimana", "fine della settimana", "einde van de week", "eind van de week",
        "slutet av veckan", "slutten av uken", "slutningen af ugen", "viikon loppuun", "konca tygodnia",
        "konce tydne", "konca tyzdna", "конца недели", "кінця тижня", "hafta sonuna", "het vegeig",
        "sfarsitul saptamanii", "τελοσ τησ εβδομαδασ", "今週末", "本周末", "週末", "周末", "이번 주말"]),
    (Relative::NextWeek, &["next week", "nachste woche", "nachster woche", "nachsten woche", "naechste woche",
        "kommende woche", "kommender woche", "kommenden woche", "semaine prochaine", "proxima semana",
        "semana proxima", "semana que viene", "semana que vem", "prossima settimana", "settimana prossima",
        "volgende week", "nasta vecka", "neste uke", "naeste uge", "ensi viikolla", "ensi viikon", "ensi viikkoon",
        "przyszlym tygodniu", "przyszlego tygodnia", "nastepnego tygodnia", "pristi tyden", "pristiho tydne",
        "pristim tydnu", "buduci tyzden", "buduceho tyzdna", "buducom tyzdni", "jovo het*", "saptamana viitoare",
        "следующей недел*", "следующую недел*", "наступного тижня", "наступному тижні", "следващата седмица",
        "επομενη εβδομαδα", "gelecek hafta*", "haftaya", "onumuzdeki hafta*", "来週", "下周", "下週", "다음 주", "다음주",
        "minggu depan", "tuan sau", "sljedeci tjedan"]),
    (Relative::NextMonth, &["next month", "nachsten monat", "nachster monat", "kommenden monat", "mois prochain",
        "proximo mes", "mes que viene", "mes que vem", "prossimo mese", "mese prossimo", "volgende maand",
        "nasta manad", "neste maned", "naeste maned", "ensi kuussa", "przyszlym miesiacu", "przyszlego miesiaca",
        "pristi mesic", "pristiho mesice", "следующем месяце", "следующего месяца", "gelecek ay", "jovo honap*",
        "luna viitoare", "επομενο μηνα", "来月", "下个月", "下個月", "다음 달", "다음달"]),
    (Relative::MonthEnd, &["end of the month", "end of this month", "ende des monats", "monatsende",
        "ende dieses monats", "fin du mois", "fin de mes", "final de mes", "final del mes", "fim do mes", "fine mese",
        "fine del mese", "einde van de maand", "eind van de maand", "slutet av manaden", "slutten av maneden",
        "slutningen af maneden", "kuun loppuun", "konca miesiaca", "konce mesice", "конца месяца", "кінця місяця",
        "ay sonuna", "honap vegeig", "sfarsitul lunii", "τελοσ του μηνα", "今月末", "月末", "월말"]),
    (Relative::NewYear, &["new year", "new year's", "neujahr", "neuen jahr", "neues jahr", "nouvel an",
        "nouvelle annee", "ano nuevo", "nuevo ano", "ano novo", "novo ano", "nuovo anno", "capodanno", "nieuwjaar",
        "nieuwe jaar", "nyar", "nyaret", "nytt ar", "nyttar", "nytar", "uusi vuosi", "uuden vuoden", "nowy rok",
        "nowego roku", "nowym roku", "novy rok", "noveho roku", "novem roce", "новый год", "новом году",
        "нового года", "новий рік", "нового року", "uj ev*", "anul nou", "νεο ετοσ", "yeni yil*", "年明け", "元旦", "新年"
        ]),
];

/// Part of a month named without a day: words before the month, and the day they stand for (99: the last).
#[rustfmt::skip]
pub(super) const PARTS: &[(u8, &[&str])] = &[
    (99, &["end of", "the end of", "late", "ende", "fin", "fin de", "la fin de", "fin d'", "finales de", "final de",
        "fim de", "fine", "fine di", "eind", "einde", "slutet av", "slutten av", "slutningen af", "loppuun", "konca",
        "konce", "koncem", "конца", "кінця", "sonu", "sfarsitul lui", "τελη", "τελοσ"]),
    (15, &["middle of", "the middle of", "mid", "mid-", "mitte", "mi-", "mi", "mediados de", "meados de", "meta",
        "meta'", "half", "mitten av", "midten av", "midten af", "polowy", "poloviny", "середины", "середини",
        "mijlocul lui", "μεσα"]),
    (1, &["beginning of", "the beginning of", "start of", "early", "anfang", "debut", "le debut de", "principios de",
        "inicio de", "comeco de", "inizio", "begin", "borjan av", "begynnelsen av", "starten af", "poczatku",
        "zacatku", "начала", "початку", "inceputul lui", "αρχεσ"]),
];
