//! `prompt`: the question, or the conversation so far.

use super::table::MESSAGE;
use crate::expectation::Reading;
use crate::provider::{Message, Role};
use crate::source::{Diagnostic, Fields, Node, Value};

/// The messages of `prompt`, variables filled; reports what is wrong.
pub(super) fn messages(node: &Node, is_history: bool, reading: &mut Reading<'_>) -> Option<Vec<Message>> {
    let mut messages = Vec::new();
    match &node.value {
        Value::String(text) => {
            messages.push(Message::new(Role::User, reading.fill(text, node.span)));
        }
        Value::List(items) if !items.is_empty() => {
            for item in items {
                let fields = Fields::check(item, MESSAGE, "a message", reading.file, reading.found);
                let turn = fields.and_then(|fields| {
                    let (content, span) = fields.text("content")?;
                    let role = fields.word("role")?;
                    Some(Message::new(role, reading.fill(content, span)))
                });
                messages.extend(turn);
            }
            if messages.len() != items.len() {
                return None;
            }
            if !is_history
                && let (Some(last), Some(Role::Assistant)) =
                    (items.last(), messages.last().map(|last| last.role))
            {
                let message = "`prompt` ends with an `assistant` message: it asks nothing".to_owned();
                reading.found.push(
                    Diagnostic::error("no-question", reading.file, last.start(), message).help(
                        "end it with a `user` message; to judge a recorded answer, use `--replies FILE`",
                    ),
                );
            }
        }
        other => {
            let found = if matches!(other, Value::List(_)) { "an empty list" } else { other.kind() };
            let message = format!("`prompt` must be text or a list of messages, found {found}");
            reading.found.push(
                Diagnostic::error("wrong-type", reading.file, node.span, message)
                    .help("write text, or `- { role: user, content: … }` lines"),
            );
            return None;
        }
    }
    Some(messages)
}
