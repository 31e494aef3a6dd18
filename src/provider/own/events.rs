//! A stream of server-sent events, as the HTML standard describes it.

/// An event: its name, `message` where it has none, and its data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

/// The events of a body, in order. A last one counts without the blank line behind it, which some servers leave out.
pub(super) fn events(body: &str) -> Vec<Event> {
    let body = body.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let event = |block: &str| {
        let (mut name, mut data) = ("message".to_owned(), Vec::new());
        for line in block.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => data.push(value),
                _ => {}
            }
        }
        (!data.is_empty()).then(|| Event { name, data: data.join("\n") })
    };
    body.split("\n\n").filter_map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_whatever_their_line_ends() {
        let body = ": ping\n\nevent: token\ndata: {\"t\":1}\n\ndata: a\ndata:b\nid: 7\n\n\nevent: none\n\ndata: [DONE]";
        for body in [
            body.to_owned(),
            body.replace('\n', "\r\n"),
            body.replace('\n', "\r"),
            format!("\u{feff}{body}\n\n"),
        ] {
            let found: Vec<_> = events(&body).into_iter().map(|event| (event.name, event.data)).collect();
            let right = [("token", "{\"t\":1}"), ("message", "a\nb"), ("message", "[DONE]")];
            assert_eq!(found, right.map(|(name, data)| (name.to_owned(), data.to_owned())), "{body:?}");
        }
    }
}
