//! A forge on 127.0.0.1 that stores the comments of one change, with the APIs of GitHub and GitLab.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::server::{Answer, Asked, Server};

/// Comments per page: the maximum of both forges.
const PER_PAGE: usize = 100;

/// A comment.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
}

/// A one-time response to a request with this method.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status and these headers; the request has no effect.
    Refuse(&'static str, u16, Vec<(&'static str, String)>),
    /// The request takes effect, but the response is a 502.
    DoneAndBroken(&'static str),
    /// The request takes effect, but the connection closes without a response.
    DoneAndGone(&'static str),
    /// Nothing until the client disconnects.
    Hang(&'static str),
}

impl Fault {
    fn method(&self) -> &'static str {
        match self {
            Fault::Refuse(method, ..)
            | Fault::DoneAndBroken(method)
            | Fault::DoneAndGone(method)
            | Fault::Hang(method) => method,
        }
    }
}

/// The state of the forge.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) comments: Vec<Comment>,
    pub(crate) faults: Vec<Fault>,
    /// Newest commit of change 7, the only open one.
    pub(crate) head: String,
    /// The token's user; empty if the token may not ask.
    pub(crate) me: String,
    /// Whether the token may not ask for its user, although it belongs to `me`.
    pub(crate) secretive: bool,
}

/// The forge.
pub(crate) struct Forge {
    pub(crate) server: Server,
    state: Arc<Mutex<State>>,
}

impl Forge {
    /// A forge whose change 7 has this newest commit.
    pub(crate) fn start(head: &str) -> Self {
        let state = Arc::new(Mutex::new(State { head: head.to_owned(), ..State::default() }));
        let own = Arc::clone(&state);
        Self { server: Server::start(move |asked| answer(&mut own.lock().unwrap(), asked)), state }
    }

    /// Changes the state.
    pub(crate) fn with(&self, change: impl FnOnce(&mut State)) -> &Self {
        change(&mut self.state.lock().unwrap());
        self
    }

    /// Adds an existing comment.
    pub(crate) fn comment(&self, author: &str, body: &str) -> u64 {
        let mut id = 0;
        self.with(|state| id = state.add(author, body).id);
        id
    }

    /// Sets a one-time fault for the next request with this method.
    pub(crate) fn fault(&self, fault: Fault) -> &Self {
        self.with(|state| state.faults.push(fault))
    }

    /// The comments of an author.
    pub(crate) fn by(&self, author: &str) -> Vec<Comment> {
        let state = self.state.lock().unwrap();
        state.comments.iter().filter(|one| one.author == author).cloned().collect()
    }

    /// How many requests with this method arrived.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.server.asked().iter().filter(|asked| asked.method == method).count()
    }

    /// The API address of a GitHub Enterprise Server.
    pub(crate) fn github(&self) -> String {
        format!("http://{}/api/v3", self.server.host())
    }

    /// The API address of GitLab.
    pub(crate) fn gitlab(&self) -> String {
        format!("http://{}/api/v4", self.server.host())
    }
}

impl State {
    fn add(&mut self, author: &str, body: &str) -> &Comment {
        let id = self.comments.last().map_or(100, |last| last.id + 1);
        self.comments.push(Comment { id, author: author.to_owned(), body: body.to_owned() });
        self.comments.last().unwrap()
    }

    fn me(&self) -> String {
        if self.me.is_empty() { "github-actions[bot]".to_owned() } else { self.me.clone() }
    }
}

fn json_answer(status: u16, body: &Json) -> Answer {
    Answer::Raw(status, vec![("content-type", "application/json".to_owned())], body.to_string().into_bytes())
}

fn answer(state: &mut State, asked: &Asked) -> Answer {
    let fault = state.faults.iter().position(|fault| fault.method() == asked.method);
    let fault = fault.map(|at| state.faults.remove(at));
    match fault {
        Some(Fault::Refuse(_, status, headers)) => {
            Answer::Raw(status, headers, br#"{"message":"Resource not accessible by integration"}"#.to_vec())
        }
        Some(Fault::DoneAndBroken(_)) => {
            done(state, asked);
            json_answer(502, &json!({ "message": "Server Error" }))
        }
        Some(Fault::DoneAndGone(_)) => {
            done(state, asked);
            Answer::Bytes(Vec::new())
        }
        Some(Fault::Hang(_)) => Answer::Hang,
        None => done(state, asked),
    }
}

fn done(state: &mut State, asked: &Asked) -> Answer {
    let github = asked.header("authorization") == Some("Bearer ghs_own-token");
    let gitlab = asked.header("private-token") == Some("glpat-own-token");
    if !github && !gitlab {
        return json_answer(401, &json!({ "message": "Bad credentials" }));
    }
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let parts: Vec<_> = path.split('/').skip(1).collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "v3", "user"]) if state.secretive || state.me.is_empty() => {
            json_answer(403, &json!({ "message": "Resource not accessible by integration" }))
        }
        ("GET", ["api", _, "user"]) => json_answer(200, &json!({ "login": state.me, "username": state.me })),
        ("GET", ["api", "v3", "repos", "acme", "shop", "pulls", "7"]) => json_answer(200, &pull(state)),
        ("GET", ["api", "v3", "repos", "acme", "shop", "commits", commit, "pulls"]) => {
            let found = if *commit == state.head { vec![closed(), pull(state)] } else { Vec::new() };
            json_answer(200, &json!(found))
        }
        ("GET", ["api", "v3", "repos", "acme", "shop", "pulls"]) => {
            let fork = query.split('&').any(|pair| pair == "head=eve:fix");
            json_answer(200, &if fork { json!([pull(state)]) } else { json!([]) })
        }
        (
            method,
            ["api", "v3", "repos", "acme", "shop", "issues", rest @ ..]
            | ["api", "v4", "projects", "acme%2Fshop", "merge_requests", rest @ ..],
        ) => talk(state, method, rest, query, &asked.body),
        _ => json_answer(404, &json!({ "message": "Not Found" })),
    }
}

/// Comments on GitHub and notes on GitLab; only the paths and field names differ.
fn talk(state: &mut State, method: &str, path: &[&str], query: &str, body: &Json) -> Answer {
    let text = || body["body"].as_str().unwrap_or_default().to_owned();
    let id = path.last().and_then(|last| last.parse::<u64>().ok());
    let at = state.comments.iter().position(|one| Some(one.id) == id);
    match (method, path, at) {
        ("GET", ["7", "comments" | "notes"], _) => page(state, query),
        ("POST", ["7", "comments" | "notes"], _) => {
            let me = state.me();
            let shown = shown(state.add(&me, &text()));
            json_answer(201, &shown)
        }
        ("PATCH" | "PUT", ["comments", _] | ["7", "notes", _], Some(at)) => {
            state.comments[at].body = text();
            json_answer(200, &shown(&state.comments[at]))
        }
        ("DELETE", ["comments", _] | ["7", "notes", _], Some(at)) => {
            state.comments.remove(at);
            Answer::Raw(204, Vec::new(), Vec::new())
        }
        _ => json_answer(404, &json!({ "message": "Not Found" })),
    }
}

fn page(state: &State, query: &str) -> Answer {
    let number = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
    };
    assert_eq!(number("per_page"), Some(PER_PAGE), "{query}");
    let page = number("page").unwrap_or(1);
    let shown: Vec<_> = state.comments.iter().skip((page - 1) * PER_PAGE).take(PER_PAGE).map(shown).collect();
    let more = state.comments.len() > page * PER_PAGE;
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if more {
        // A link that must not be followed: it would get the token.
        headers.push(("link", format!("<http://127.0.0.1:1/{}>; rel=\"next\"", page + 1)));
        headers.push(("x-next-page", (page + 1).to_string()));
    }
    Answer::Raw(200, headers, json!(shown).to_string().into_bytes())
}

fn shown(comment: &Comment) -> Json {
    json!({
        "id": comment.id, "body": comment.body,
        "user": { "login": comment.author }, "author": { "username": comment.author },
        "html_url": format!("https://forge.test/acme/shop/pull/7#issuecomment-{}", comment.id),
    })
}

fn pull(state: &State) -> Json {
    json!({ "number": 7, "state": "open", "head": { "sha": state.head } })
}

fn closed() -> Json {
    json!({ "number": 6, "state": "closed", "head": { "sha": "c".repeat(40) } })
}
