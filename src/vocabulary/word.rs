//! Words of enums and their meanings. An unknown word, which a file of another version may have, is kept in `Other`.

use strum::EnumMessage;

/// The meaning of a variant, for tables in the docs: its own documentation, as part of a sentence.
pub fn meaning(variant: &impl EnumMessage) -> String {
    let documentation = variant.get_documentation().unwrap_or_default().trim_end_matches('.');
    let mut letters = documentation.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Parsing, serializing and displaying of an enum with a variant `Other(String)`; its words are those of strum.
///
/// Every `match` on such an enum has to decide about unknown words, which are never a pass.
macro_rules! open {
    ($name:ident) => {
        impl $name {
            /// The variant of a word.
            #[must_use]
            pub fn of(word: &str) -> Self {
                word.parse().unwrap_or_else(|_| Self::Other(word.to_owned()))
            }

            /// Its word in files and reports.
            #[must_use]
            pub fn word(&self) -> &str {
                match self {
                    Self::Other(word) => word,
                    known => known.into(),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::of(&std::borrow::Cow::<str>::deserialize(deserializer)?))
            }
        }

        crate::vocabulary::word::text!($name);
    };
}

/// The JSON Schema of a type that is written as text.
macro_rules! text {
    ($name:ident) => {
        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }

            fn inline_schema() -> bool {
                true
            }
        }
    };
}

pub(super) use open;
pub(super) use text;
