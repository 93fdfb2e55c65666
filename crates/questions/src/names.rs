//! First names for the people in questions: some common ones, and invented ones, so that a model learns to read a name
//! that it never saw.

use crate::random::Random;

/// Common first names.
const COMMON: [&str; 128] = [
    "Ada",
    "Adam",
    "Agnes",
    "Alan",
    "Albert",
    "Alice",
    "Amanda",
    "Amy",
    "Andrew",
    "Angela",
    "Anna",
    "Anthony",
    "Arthur",
    "Barbara",
    "Beatrice",
    "Benjamin",
    "Bernard",
    "Bertha",
    "Betty",
    "Brian",
    "Bruce",
    "Carl",
    "Carol",
    "Catherine",
    "Charles",
    "Charlotte",
    "Christine",
    "Clara",
    "Claude",
    "Daniel",
    "David",
    "Deborah",
    "Dennis",
    "Diana",
    "Donald",
    "Doris",
    "Dorothy",
    "Douglas",
    "Edith",
    "Edward",
    "Eleanor",
    "Elizabeth",
    "Ellen",
    "Emily",
    "Emma",
    "Eric",
    "Ernest",
    "Esther",
    "Eva",
    "Evelyn",
    "Felix",
    "Florence",
    "Frances",
    "Francis",
    "Frank",
    "Fred",
    "George",
    "Gerald",
    "Gloria",
    "Grace",
    "Gregory",
    "Hannah",
    "Harold",
    "Harry",
    "Hazel",
    "Helen",
    "Henry",
    "Howard",
    "Hugo",
    "Ida",
    "Irene",
    "Iris",
    "Isaac",
    "Jack",
    "Jacob",
    "James",
    "Jane",
    "Janet",
    "Jason",
    "Jean",
    "Jeffrey",
    "Jennifer",
    "John",
    "Jonathan",
    "Joseph",
    "Joyce",
    "Judith",
    "Julia",
    "Karen",
    "Keith",
    "Kenneth",
    "Kevin",
    "Larry",
    "Laura",
    "Leo",
    "Linda",
    "Louis",
    "Lucy",
    "Margaret",
    "Maria",
    "Mark",
    "Martha",
    "Martin",
    "Mary",
    "Matthew",
    "Michael",
    "Nancy",
    "Nathan",
    "Nicholas",
    "Oliver",
    "Oscar",
    "Pamela",
    "Patrick",
    "Paul",
    "Peter",
    "Philip",
    "Rachel",
    "Ralph",
    "Raymond",
    "Rebecca",
    "Robert",
    "Rose",
    "Ruth",
    "Samuel",
    "Sarah",
    "Stephen",
    "Susan",
    "Walter",
];

const ONSETS: [&str; 24] = [
    "b", "br", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "kr", "l", "m", "n", "p", "r", "s",
    "sh", "t", "th", "v", "w", "z",
];
const VOWELS: [&str; 12] = [
    "a", "e", "i", "o", "u", "y", "a", "e", "i", "ie", "ea", "ai",
];
const CODAS: [&str; 16] = [
    "", "", "", "", "n", "l", "r", "s", "nd", "lle", "tt", "m", "ne", "na", "ce", "x",
];

/// How many names in a hundred are invented: one of these, drawn anew for each question.
const INVENTED_PERCENT: [u64; 4] = [0, 20, 50, 90];

/// Draws `count` different names.
pub(crate) fn draw_distinct(random: &mut Random, count: usize) -> Vec<String> {
    let invented_percent = random
        .choose(&INVENTED_PERCENT)
        .copied()
        .unwrap_or_default();
    let mut names: Vec<String> = Vec::with_capacity(count);
    while names.len() < count {
        let name = if random.chance(invented_percent) {
            invented(random)
        } else {
            common(random)
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn common(random: &mut Random) -> String {
    random.choose(&COMMON).copied().unwrap_or("Ada").to_owned()
}

/// An invented name that begins with an X, as none of the public items' fifty-odd names does.
pub(crate) fn draw_with_x(random: &mut Random) -> String {
    let name = invented(random);
    let rest = name.trim_start_matches(|letter: char| !"AEIOUYaeiouy".contains(letter));
    format!("X{}", rest.to_lowercase())
}

fn invented(random: &mut Random) -> String {
    let mut name = String::new();
    for _ in 0..random.between(1, 3) {
        for parts in [&ONSETS[..], &VOWELS[..]] {
            name.push_str(random.choose(parts).copied().unwrap_or_default());
        }
    }
    name.push_str(random.choose(&CODAS).copied().unwrap_or_default());
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_names_begin_with_x_and_others_do_not() {
        let mut random = Random::new(5);
        for _ in 0..500 {
            assert!(draw_with_x(&mut random).starts_with('X'));
            assert!(!draw_distinct(&mut random, 1)[0].starts_with('X'));
        }
    }

    #[test]
    fn names_differ_and_are_words_with_a_capital() {
        let mut random = Random::new(4);
        for _ in 0..200 {
            let names = draw_distinct(&mut random, 7);
            assert_eq!(
                names
                    .iter()
                    .collect::<std::collections::BTreeSet<_>>()
                    .len(),
                7
            );
            for name in names {
                assert!(
                    name.starts_with(|first: char| first.is_ascii_uppercase()),
                    "{name}"
                );
                assert!(
                    name.chars().all(|letter| letter.is_ascii_alphabetic()),
                    "{name}"
                );
            }
        }
    }
}
