//! Makes a note comparable: lower case without accents, one blank between words, a mark where a paragraph ends. People
//! leave accents out as often as not, so the tables are written without them.

/// Stands where a paragraph or a list item ends.
pub(super) const BREAK: char = '¶';

/// The text in the form of the tables.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut lines = 0;
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\n' => {
                lines += 1;
                blank(&mut out);
            }
            c if c.is_whitespace() => blank(&mut out),
            // Combining marks, such as lower-casing leaves, and invisible characters.
            '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '*' => (),
            c => {
                if lines > 1 {
                    out.push(BREAK);
                    out.push(' ');
                }
                lines = 0;
                push(&mut out, c);
            }
        }
    }
    out
}

fn blank(out: &mut String) {
    if !out.ends_with(' ') {
        out.push(' ');
    }
}

fn push(out: &mut String, c: char) {
    match c {
        'ß' => out.push_str("ss"),
        'æ' => out.push_str("ae"),
        'œ' => out.push_str("oe"),
        'þ' => out.push_str("th"),
        '’' | '‘' | '´' | '`' | 'ʼ' => out.push('\''),
        '“' | '”' | '„' | '«' | '»' => out.push('"'),
        '–' | '—' | '‐' | '‑' | '−' | '~' | '～' | '〜' | '―' => out.push('-'),
        '／' => out.push('/'),
        '：' => out.push(':'),
        '。' | '！' | '？' => out.push_str(". "),
        '、' | '，' => out.push(','),
        '（' => out.push('('),
        '）' => out.push(')'),
        '０'..='９' => out.push((b'0' + (c as u32 - '０' as u32) as u8) as char),
        '٠'..='٩' => out.push((b'0' + (c as u32 - '٠' as u32) as u8) as char),
        c => out.push(bare(c)),
    }
}

/// The letter without its accent.
fn bare(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ' | 'ả' | 'ấ' | 'ầ' | 'ẩ' | 'ẫ' | 'ậ' | 'ắ' | 'ằ' | 'ẳ' | 'ẵ' | 'ặ' => {
            'a'
        }
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => 'c',
        'đ' | 'ď' | 'ð' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ' | 'ẻ' | 'ẽ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' => {
            'e'
        }
        'ğ' | 'ģ' | 'ġ' | 'ĝ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' | 'ĩ' | 'ỉ' | 'ị' => 'i',
        'ķ' => 'k',
        'ł' | 'ľ' | 'ļ' | 'ĺ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' | 'ọ' | 'ỏ' | 'ố' | 'ồ' | 'ổ' | 'ỗ' | 'ộ' | 'ơ' | 'ớ' | 'ờ' | 'ở' | 'ỡ' | 'ợ' => {
            'o'
        }
        'ř' | 'ŕ' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' | 'ũ' | 'ụ' | 'ủ' | 'ư' | 'ứ' | 'ừ' | 'ử' | 'ữ' | 'ự' => {
            'u'
        }
        'ý' | 'ÿ' | 'ỳ' | 'ỹ' | 'ỷ' | 'ỵ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' | 'ϊ' | 'ΐ' => 'ι',
        'ό' => 'ο',
        'ύ' | 'ϋ' | 'ΰ' => 'υ',
        'ώ' => 'ω',
        'ς' => 'σ',
        'ё' => 'е',
        'ґ' => 'г',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_line_ends_do_not_count() {
        assert_eq!(plain("Zurück\nam 3. März\n\nGrüße"), "zuruck am 3. marz ¶ grusse");
        assert_eq!(plain("８月１５日〜 İzin"), "8月15日- izin");
    }
}
