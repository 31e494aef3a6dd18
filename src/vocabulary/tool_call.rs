//! A function that a model asked to have called.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::redact::Redactor;
use crate::text;

/// A function that a model asked to have called instead of, or besides, saying something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ToolCall {
    /// The provider's id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name of the function.
    pub name: String,
    /// Its arguments; text where the model wrote no JSON.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub arguments: Json,
}

impl ToolCall {
    /// The same without personal data.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        Self {
            id: self.id.map(|id| redactor.text(&id)),
            name: redactor.text(&self.name),
            arguments: redactor.json(&self.arguments),
        }
    }

    /// `2 tool calls (refund, transfer_to_human)`.
    #[must_use]
    pub fn summary(calls: &[Self]) -> String {
        const SHOWN: usize = 5;
        let names: Vec<_> = calls.iter().take(SHOWN).map(|call| text::excerpt(&call.name, 60)).collect();
        let more = if calls.len() > SHOWN { ", …" } else { "" };
        format!("{} ({}{more})", text::count(calls.len(), "tool call"), names.join(", "))
    }
}
