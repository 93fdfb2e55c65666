//! A forgiving reader of JSON: what models write where JSON was asked for.
//!
//! Beyond JSON it takes strings in single quotes, control characters inside strings, a comma before a closing bracket, and
//! whatever follows the value. It guesses nothing that is missing: a value that is cut off is no value.

/// Deepest nesting that is read; a plan has three levels.
const DEPTH_MAX: usize = 6;

/// A value; of numbers and bare words only their presence is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Object(Vec<(String, Value)>),
    Array(Vec<Value>),
    Text(String),
    Other,
}

impl Value {
    /// The value that a text begins with.
    pub(super) fn read(text: &str) -> Option<Self> {
        Reader { rest: text }.value(DEPTH_MAX)
    }

    /// The first field of an object with this name.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        let inner = depth.checked_sub(1)?;
        match self.peek()? {
            '{' => self.object(inner),
            '[' => self.array(inner),
            '"' | '\'' => self.string().map(Value::Text),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.take('{')?;
        let mut fields = Vec::new();
        loop {
            if self.take('}').is_some() {
                return Some(Value::Object(fields));
            }
            self.peek()?;
            let name = self.string()?;
            self.take(':')?;
            fields.push((name, self.value(depth)?));
            if self.take(',').is_none() && self.peek()? != '}' {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.take('[')?;
        let mut items = Vec::new();
        loop {
            if self.take(']').is_some() {
                return Some(Value::Array(items));
            }
            items.push(self.value(depth)?);
            if self.take(',').is_none() && self.peek()? != ']' {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut letters = self.rest.char_indices();
        let (_, quote) = letters
            .next()
            .filter(|(_, letter)| matches!(letter, '"' | '\''))?;
        let mut text = String::new();
        loop {
            let (at, letter) = letters.next()?;
            match letter {
                _ if letter == quote => {
                    self.rest = &self.rest[at + letter.len_utf8()..];
                    return Some(text);
                }
                '\\' => {
                    let (_, escaped) = letters.next()?;
                    text.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'u' => {
                            let unit = code_unit(&mut letters)?;
                            match char::from_u32(unit) {
                                Some(letter) => letter,
                                None => after_surrogate(unit, &mut letters)?,
                            }
                        }
                        '"' | '\'' | '\\' | '/' => escaped,
                        _ => return None,
                    });
                }
                _ => text.push(letter),
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || "+-.".contains(letter)))
            .unwrap_or(self.rest.len());
        self.rest = &self.rest[end..];
        (end > 0).then_some(Value::Other)
    }

    /// The next letter after white space.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, letter: char) -> Option<()> {
        (self.peek()? == letter).then(|| self.rest = &self.rest[letter.len_utf8()..])
    }
}

fn code_unit(letters: &mut std::str::CharIndices<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        let (_, digit) = letters.next()?;
        unit = unit * 16 + digit.to_digit(16)?;
    }
    Some(unit)
}

fn after_surrogate(high: u32, letters: &mut std::str::CharIndices<'_>) -> Option<char> {
    let marks = letters.next()?.1 == '\\' && letters.next()?.1 == 'u';
    let low = code_unit(letters).filter(|_| marks)?;
    let pair = (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low);
    pair.then(|| 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        .and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn plan_1_reads_json_and_what_is_nearly_json() {
        let list = Value::Array(vec![text("a"), Value::Other, text("b")]);
        for written in [
            r#"["a", -1.5e3, "b"]"#,
            r#"[ "a" , null,"b", ] and so on"#,
            "['a',true,'b']",
            r#"["\u0061", 0, "\u0062"]"#,
        ] {
            assert_eq!(Value::read(written), Some(list.clone()), "{written}");
        }
        assert_eq!(
            Value::read(
                r#"{"k": {"k": "é\ud83d\ude00\"
"}, "k": 1}"#
            )
            .and_then(|value| value.field("k")?.field("k").cloned()),
            Some(text("é😀\"\n"))
        );
    }

    #[test]
    fn plan_1_what_is_missing_is_not_guessed() {
        for written in [
            "",
            "[",
            "[\"a\"",
            "[\"a\" \"b\"]",
            "[,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a: 1}",
            "\"a",
            "\"\\",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\x\"",
            "[[[[[[[1]]]]]]]",
        ] {
            assert_eq!(Value::read(written), None, "{written}");
        }
    }
}
