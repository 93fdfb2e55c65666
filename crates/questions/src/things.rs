//! Things that can be counted: nouns in five kinds, with their plurals.

use crate::random::Random;

/// What a question can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fruit,
    Vegetable,
    Animal,
    Instrument,
    Object,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Fruit,
        Self::Vegetable,
        Self::Animal,
        Self::Instrument,
        Self::Object,
    ];

    /// The kind as a question asks for it.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Fruit => "fruits",
            Self::Vegetable => "vegetables",
            Self::Animal => "animals",
            Self::Instrument => "musical instruments",
            Self::Object => "objects",
        }
    }

    /// The things of this kind: everyday ones, then those that no public item names.
    fn things(self) -> (&'static [Thing], &'static [Thing]) {
        match self {
            Self::Fruit => (&FRUITS, &OWN_FRUITS),
            Self::Vegetable => (&VEGETABLES, &OWN_VEGETABLES),
            Self::Animal => (&ANIMALS, &OWN_ANIMALS),
            Self::Instrument => (&INSTRUMENTS, &OWN_INSTRUMENTS),
            Self::Object => (&OBJECTS, &OWN_OBJECTS),
        }
    }

    /// One everyday thing of this kind.
    pub(crate) fn everyday(self, random: &mut Random) -> Thing {
        random.choose(self.things().0).copied().unwrap_or(FRUITS[0])
    }

    /// One thing of this kind that no public item names.
    pub(crate) fn own(self, random: &mut Random) -> Thing {
        random
            .choose(self.things().1)
            .copied()
            .unwrap_or(OWN_FRUITS[0])
    }
}

/// A thing: its singular without the article, and its plural.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thing {
    pub(crate) singular: &'static str,
    pub(crate) plural: &'static str,
}

impl Thing {
    /// The text for `count` of it, at least one: `an oven`, `three heads of broccoli`.
    pub(crate) fn counted(self, count: usize) -> String {
        let number = ["no", "a", "two", "three", "four", "five"]
            .get(count)
            .copied()
            .unwrap_or("many");
        match (number, self.singular.starts_with(['a', 'e', 'i', 'o', 'u'])) {
            ("a", true) => format!("an {}", self.singular),
            ("a", false) => format!("a {}", self.singular),
            _ => format!("{number} {}", self.plural),
        }
    }

    /// The word that names it in the working: `broccoli` of `heads of broccoli`, `lettuce` of `lettuce head`.
    pub(crate) fn word(self, count: usize) -> &'static str {
        let text = if count == 1 {
            self.singular
        } else {
            self.plural
        };
        match text.split_once(" of ") {
            Some((_, matter)) => matter,
            None => text.split(' ').next().unwrap_or(text),
        }
    }
}

const fn thing(singular: &'static str, plural: &'static str) -> Thing {
    Thing { singular, plural }
}

const FRUITS: [Thing; 12] = [
    thing("apple", "apples"),
    thing("banana", "bananas"),
    thing("blackberry", "blackberries"),
    thing("grape", "grapes"),
    thing("nectarine", "nectarines"),
    thing("orange", "oranges"),
    thing("peach", "peaches"),
    thing("pear", "pears"),
    thing("plum", "plums"),
    thing("raspberry", "raspberries"),
    thing("strawberry", "strawberries"),
    thing("cherry", "cherries"),
];
const OWN_FRUITS: [Thing; 6] = [
    thing("kiwi", "kiwis"),
    thing("mango", "mangoes"),
    thing("quince", "quinces"),
    thing("apricot", "apricots"),
    thing("tangerine", "tangerines"),
    thing("papaya", "papayas"),
];
const VEGETABLES: [Thing; 11] = [
    thing("cabbage", "cabbages"),
    thing("carrot", "carrots"),
    thing("cauliflower", "cauliflowers"),
    thing("garlic", "garlics"),
    thing("head of broccoli", "heads of broccoli"),
    thing("lettuce head", "lettuce heads"),
    thing("onion", "onions"),
    thing("potato", "potatoes"),
    thing("stalk of celery", "stalks of celery"),
    thing("yam", "yams"),
    thing("cucumber", "cucumbers"),
];
const OWN_VEGETABLES: [Thing; 6] = [
    thing("radish", "radishes"),
    thing("leek", "leeks"),
    thing("parsnip", "parsnips"),
    thing("artichoke", "artichokes"),
    thing("turnip", "turnips"),
    thing("bunch of spinach", "bunches of spinach"),
];
const ANIMALS: [Thing; 15] = [
    thing("bear", "bears"),
    thing("cat", "cats"),
    thing("chicken", "chickens"),
    thing("cow", "cows"),
    thing("dog", "dogs"),
    thing("donkey", "donkeys"),
    thing("duck", "ducks"),
    thing("fish", "fish"),
    thing("frog", "frogs"),
    thing("goat", "goats"),
    thing("mouse", "mice"),
    thing("pig", "pigs"),
    thing("rabbit", "rabbits"),
    thing("snail", "snails"),
    thing("snake", "snakes"),
];
const OWN_ANIMALS: [Thing; 6] = [
    thing("otter", "otters"),
    thing("badger", "badgers"),
    thing("heron", "herons"),
    thing("lizard", "lizards"),
    thing("hamster", "hamsters"),
    thing("weasel", "weasels"),
];
const INSTRUMENTS: [Thing; 8] = [
    thing("accordion", "accordions"),
    thing("clarinet", "clarinets"),
    thing("drum", "drums"),
    thing("flute", "flutes"),
    thing("piano", "pianos"),
    thing("trombone", "trombones"),
    thing("trumpet", "trumpets"),
    thing("violin", "violins"),
];
const OWN_INSTRUMENTS: [Thing; 6] = [
    thing("harp", "harps"),
    thing("cello", "cellos"),
    thing("oboe", "oboes"),
    thing("mandolin", "mandolins"),
    thing("bassoon", "bassoons"),
    thing("lute", "lutes"),
];
const OBJECTS: [Thing; 12] = [
    thing("bed", "beds"),
    thing("car", "cars"),
    thing("chair", "chairs"),
    thing("couch", "couches"),
    thing("fridge", "fridges"),
    thing("lamp", "lamps"),
    thing("microwave", "microwaves"),
    thing("oven", "ovens"),
    thing("stove", "stoves"),
    thing("table", "tables"),
    thing("toaster", "toasters"),
    thing("desk", "desks"),
];
const OWN_OBJECTS: [Thing; 6] = [
    thing("bookcase", "bookcases"),
    thing("wardrobe", "wardrobes"),
    thing("kettle", "kettles"),
    thing("ladder", "ladders"),
    thing("umbrella", "umbrellas"),
    thing("mirror", "mirrors"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_and_plurals_are_english() {
        assert_eq!(thing("oven", "ovens").counted(1), "an oven");
        assert_eq!(
            thing("head of broccoli", "heads of broccoli").counted(3),
            "three heads of broccoli"
        );
        assert_eq!(
            thing("lettuce head", "lettuce heads").counted(1),
            "a lettuce head"
        );
    }

    #[test]
    fn one_word_stands_for_a_thing() {
        assert_eq!(
            thing("head of broccoli", "heads of broccoli").word(2),
            "broccoli"
        );
        assert_eq!(thing("lettuce head", "lettuce heads").word(2), "lettuce");
        assert_eq!(thing("mouse", "mice").word(2), "mice");
    }
}
