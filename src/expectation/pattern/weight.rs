//! Which patterns the engine surely takes, so that it need not be asked when they are read.
//!
//! To make the engine's program costs many times what reading the pattern does, and a suite may have
//! thousands of patterns. What the engine refuses is programs that are too large, groups that stand
//! too deep and some kinds of looking behind; patterns that come near any of these are tried at once.

use super::syntax::Node;

/// Most ranges of characters, with repetitions written out. The engine takes some 10,000.
pub(super) const MOST: usize = 1_000;

/// Deepest nesting of parts. The engine takes 64 brackets within each other; a part is written with one,
/// the innermost with three.
const DEEPEST: usize = 32;

/// What a look at the characters beside a place counts.
const PLACE: usize = 32;

/// Whether the engine surely takes a pattern.
pub(super) fn is_light(node: &Node) -> bool {
    weight(node, 0).is_some_and(|weight| weight <= MOST)
}

/// The ranges of characters in a part; `None` where only the engine can tell.
fn weight(node: &Node, depth: usize) -> Option<usize> {
    if depth > DEEPEST {
        return None;
    }
    match node {
        Node::Empty => Some(1),
        Node::Place(_) => Some(PLACE),
        // A property, or a class whose case the engine ignores, may stand for hundreds of ranges.
        Node::Class(class) if class.any_case || !class.properties.is_empty() => None,
        Node::Class(class) => Some(class.set.ranges().len() + 1),
        Node::Concat(parts) | Node::Either(parts) => {
            parts.iter().try_fold(0usize, |sum, part| Some(sum.saturating_add(weight(part, depth + 1)?)))
        }
        Node::Group(_, body) => weight(body, depth + 1),
        Node::Repeat { body, least, most, .. } => {
            let rounds = most.unwrap_or(*least).max(1);
            Some(weight(body, depth + 1)?.saturating_mul(usize::try_from(rounds).ok()?))
        }
        Node::Look(..) | Node::Reference(_) => None,
    }
}
