//! The Unicode properties that `\p{…}` may name, as ECMA-262 lists them.

use std::sync::OnceLock;

use crate::text;

/// General categories: `gc=…`, or alone.
const CATEGORIES: &str = "C Other Cc Control cntrl Cf Format Cn Unassigned Co Private_Use Cs Surrogate L Letter LC \
    Cased_Letter Ll Lowercase_Letter Lm Modifier_Letter Lo Other_Letter Lt Titlecase_Letter Lu Uppercase_Letter M Mark \
    Combining_Mark Mc Spacing_Mark Me Enclosing_Mark Mn Nonspacing_Mark N Number Nd Decimal_Number digit Nl \
    Letter_Number No Other_Number P Punctuation punct Pc Connector_Punctuation Pd Dash_Punctuation Pe \
    Close_Punctuation Pf Final_Punctuation Pi Initial_Punctuation Po Other_Punctuation Ps Open_Punctuation S Symbol \
    Sc Currency_Symbol Sk Modifier_Symbol Sm Math_Symbol So Other_Symbol Z Separator Zl Line_Separator Zp \
    Paragraph_Separator Zs Space_Separator";

/// Binary properties.
const BINARY: &str = "ASCII ASCII_Hex_Digit AHex Alphabetic Alpha Any Assigned Bidi_Control Bidi_C Bidi_Mirrored \
    Bidi_M Case_Ignorable CI Cased Changes_When_Casefolded CWCF Changes_When_Casemapped CWCM Changes_When_Lowercased \
    CWL Changes_When_NFKC_Casefolded CWKCF Changes_When_Titlecased CWT Changes_When_Uppercased CWU Dash \
    Default_Ignorable_Code_Point DI Deprecated Dep Diacritic Dia Emoji Emoji_Component EComp Emoji_Modifier EMod \
    Emoji_Modifier_Base EBase Emoji_Presentation EPres Extended_Pictographic ExtPict Extender Ext Grapheme_Base \
    Gr_Base Grapheme_Extend Gr_Ext Hex_Digit Hex IDS_Binary_Operator IDSB IDS_Trinary_Operator IDST ID_Continue IDC \
    ID_Start IDS Ideographic Ideo Join_Control Join_C Logical_Order_Exception LOE Lowercase Lower Math \
    Noncharacter_Code_Point NChar Pattern_Syntax Pat_Syn Pattern_White_Space Pat_WS Quotation_Mark QMark Radical \
    Regional_Indicator RI Sentence_Terminal STerm Soft_Dotted SD Terminal_Punctuation Term Unified_Ideograph UIdeo \
    Uppercase Upper Variation_Selector VS White_Space space XID_Continue XIDC XID_Start XIDS";

fn words() -> &'static Vec<&'static str> {
    static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| CATEGORIES.split_whitespace().chain(BINARY.split_whitespace()).collect())
}

/// Whether JavaScript knows the property, and the engine has its characters.
///
/// Names must match exactly: unlike other dialects, JavaScript allows no other case or spelling.
pub(super) fn is_known(name: &str) -> bool {
    let known = match name.split_once('=') {
        None => words().contains(&name),
        Some(("General_Category" | "gc", value)) => CATEGORIES.split_whitespace().any(|word| word == value),
        Some(("Script" | "sc" | "Script_Extensions" | "scx", value)) => is_script_shaped(value),
        Some(_) => false,
    };
    known && (is_surrogate(name) || regex_syntax::parse(&format!("\\p{{{name}}}")).is_ok())
}

/// Whether it is the property of surrogates.
pub(super) fn is_surrogate(name: &str) -> bool {
    matches!(name.rsplit('=').next(), Some("Cs" | "Surrogate"))
}

/// `Greek`, `Old_Italic`, `Grek`: words with one capital each.
fn is_script_shaped(value: &str) -> bool {
    value.split('_').all(|word| {
        let mut letters = word.chars();
        letters.next().is_some_and(|c| c.is_ascii_uppercase()) && letters.all(|c| c.is_ascii_lowercase())
    }) || matches!(value, "Nko" | "SignWriting" | "Phags_Pa")
}

/// Whether a property distinguishes characters that differ only in case.
///
/// With `i`, JavaScript's `\P{Lu}` matches `A`, since `a` is not upper case; the engine's `\P{Lu}` does not.
pub(super) fn is_of_case(name: &str) -> bool {
    let value = name.rsplit('=').next().unwrap_or(name);
    ["Lu", "Ll", "Lt", "Upper", "Lower", "Titlecase", "Changes_When", "CW"]
        .iter()
        .any(|word| value.starts_with(word))
}

/// What may have been intended.
pub(super) fn help(name: &str) -> String {
    let shown = text::excerpt(name, 40);
    if words().contains(&name) {
        return format!("list the characters in a class; akit does not support `{shown}`");
    }
    if is_script_shaped(name) && is_known(&format!("Script={name}")) {
        return format!("write a script as `\\p{{Script={shown}}}`");
    }
    text::meant(name, words(), || "write a category as `\\p{L}`, a script as `\\p{Script=Greek}`".to_owned())
}
