//! How the user's own bot is called: over HTTP, or as a command.

use std::sync::Arc;

use super::asking::Asking;
use super::target::Targets;
use super::trust::Whose;
use super::{Obstacle, Settings};
use crate::cache::Mode;
use crate::client::ModelClient;
use crate::expectation::Expectation;
use crate::process::USUAL;
use crate::provider::{
    COMMAND, HTTP, Origin, Own, OwnCommand, OwnHttp, OwnPlaces, Provider, Role, Spec, Told, Whence,
    looks_secret, place,
};
use crate::scenario::{Case, Loaded, Scenario};
use crate::secret::Secret;
use crate::source::{Diagnostic, Span};
use serde_json::json;

/// How to make akit run a command that only a change names.
const MERGE_FIRST: &str = "merge it in akit.yaml first, name it on the command line (`-p command -- ./bot`), or trust the change: \
                           `--trust head` (`trust: head` in the pipeline)";

fn at<T>(setting: &Told<T>, message: impl Into<String>, help: impl Into<String>) -> Obstacle {
    Obstacle { at: Some(setting.at.clone()), ..Obstacle::new(message, help) }
}

impl Targets {
    /// The client of the user's own bot; the same settings always return the same client.
    pub(super) fn bot(
        &mut self,
        settings: &Settings,
        (scenario, case): (&Scenario, &Case),
        asking: &Asking<'_>,
    ) -> Result<Arc<ModelClient>, Obstacle> {
        let mode = settings.target_mode();
        if let Some(obstacle) = asking.obstacle.as_ref().filter(|_| mode != Mode::Replay) {
            return Err(obstacle.clone());
        }
        let is_http = asking.provider.value == HTTP;
        let command = &settings.flags.command;
        let own = if command.is_empty() { asking.own.clone() } else { asking.own.with_command(command) };
        if let Some(missing) = unnamed(&own, asking, is_http) {
            // If the value is an unset variable, that is reported instead. If a flag named the provider, the problem is
            // reported once for the file and not for each case.
            let file = || (Arc::clone(&scenario.file), Span::default());
            let missing = || Obstacle { at: missing.at.clone().or_else(|| Some(file())), ..missing.clone() };
            return Err(asking.obstacle.clone().unwrap_or_else(missing));
        }
        fits(&own, scenario, case, is_http).map_err(|unfit| asking.obstacle.clone().unwrap_or(unfit))?;
        let key = self.api_key(settings, asking, mode)?;
        if let Some(auth) = own.auth.as_ref().filter(|_| key.is_none() && mode != Mode::Replay) {
            return Err(at(auth, "`auth` needs `apiKey`, which is not set", "add `apiKey: ${BOT_KEY}`"));
        }
        let said: Vec<_> = own.entries().into_iter().map(|(key, written, _)| (key, written)).collect();
        let secret = key.as_ref().map(Secret::expose).unwrap_or_default();
        let same =
            format!("{}\n{said:?}\n{mode:?}\n{secret}\n{:?}", asking.provider.value, settings.flags.base_url);
        let limits = asking.limits.map(|limits| limits.value).unwrap_or_default();
        if let Some(client) = self.bots.get(&same) {
            client.limit(limits);
            return Ok(Arc::clone(client));
        }
        let places = |key: &str| {
            let entries = own.entries();
            let found = entries.iter().find(|(name, ..)| *name == key);
            found.map(|(_, _, at)| format!("`{key}` ({})", place(at)))
        };
        let url = match settings.flags.base_url {
            Some(_) if is_http => Some("`--base-url`".to_owned()),
            _ => places(if is_http { "url" } else { "command" }).filter(|_| command.is_empty()),
        };
        let url = url.unwrap_or_else(|| "the command after `--`".to_owned());
        let body = places("body").unwrap_or_else(|| url.clone());
        let whence = Whence {
            address: url.clone(),
            key: asking.key.as_ref().map_or("no key".to_owned(), |key| format!("{:#}", key.said_by)),
            own: Some(OwnPlaces { url, body }),
        };
        let back_end: Arc<dyn Provider> = if is_http {
            Arc::new(settings.server(own, key, asking)?)
        } else {
            let shared = settings.file.providers.get(COMMAND);
            let is_said = shared.is_some_and(|shared| shared.own.answer.is_some());
            let is_for_server = scenario.provider.as_deref().is_some_and(|named| named != COMMAND);
            let program = settings.program(own, mode)?;
            Arc::new(if is_for_server && !is_said { program.in_place_of_server() } else { program })
        };
        let client = ModelClient::new(back_end, settings.cache.clone(), mode)
            .on(&settings.road)
            .priced(settings.file.prices.clone())
            .said_by(whence);
        client.limit(limits);
        let client = Arc::new(client);
        self.bots.insert(same, Arc::clone(&client));
        Ok(client)
    }
}

/// The missing key if nothing says where the bot is.
fn unnamed(own: &Own, asking: &Asking<'_>, is_http: bool) -> Option<Obstacle> {
    let (is_named, key, help) = if is_http {
        (
            own.url.is_some(),
            "url",
            "add `providerConfig: { url: \"http://127.0.0.1:8080/chat\", body: { text: \"{{prompt}}\" }, answer: /answer }`",
        )
    } else {
        (
            own.command.is_some(),
            "command",
            "put it after `--`, as in `-p command -- ./bot --json`, or add `providerConfig: { command: [./bot, --json] }`",
        )
    };
    let message = format!("provider `{}` has no `{key}`", asking.provider.value);
    (!is_named).then(|| Obstacle::new(message, help).at(asking.provider.said_by))
}

/// Checks that everything that a case asks is sent, and that everything it expects is read.
fn fits(own: &Own, scenario: &Scenario, case: &Case, is_http: bool) -> Result<(), Obstacle> {
    if let Some((key, name, place)) = own.unknown(|name| case.variables.contains_key(name)) {
        let (message, help) = Own::undefined(key, name);
        return Err(Obstacle { at: Some(place.clone()), ..Obstacle::new(message, help) });
    }
    if is_http && !own.asks() {
        let message = "the question is not sent: the request has no `{{prompt}}` or `{{messages}}`";
        let help = "add it to the request under the name that the bot expects, as in `body: { text: \"{{prompt}}\" }`";
        return Err(match (&own.body, &own.url) {
            (Some(body), _) => at(body, message, help),
            (None, Some(url)) => at(url, message, help),
            (None, None) => Obstacle::new(message, help),
        });
    }
    let whole = if is_http { own.body.as_ref().map(|setting| &setting.at) } else { None };
    let whole = whole
        .or(own.url.as_ref().map(|setting| &setting.at))
        .or(own.command.as_ref().map(|setting| &setting.at));
    let placed =
        |(message, help): (&str, &str)| Obstacle { at: whole.cloned(), ..Obstacle::new(message, help) };
    if scenario.functions.most_rounds() > 0 && !own.sends_history() {
        return Err(placed(Own::unreturned(is_http)));
    }
    if own.tools.is_none() && case.expectations().any(Expectation::needs_calls) {
        let message = "the case needs function calls, but `tools` is not set";
        return Err(placed((
            message,
            "add `tools: /POINTER` next to `answer`; it points to the list of calls",
        )));
    }
    let by_line = own.input.as_ref().is_some_and(|setting| setting.written.contains("json"));
    let is_persistent = own.persistent.as_ref().is_some_and(|setting| setting.value);
    let is_read = own.answer.is_some() || own.sse.is_some() || (!is_http && (by_line || is_persistent));
    let is_by_line = own.lines.as_ref().is_some_and(|setting| setting.value);
    let needs: &[&str] = if is_by_line { &["lines"] } else { &["tools", "state", "stop", "usage"] };
    let entries = own.entries();
    if let Some((key, _, place)) = entries.iter().find(|(key, ..)| !is_read && needs.contains(key)) {
        let message = format!("`{key}` reads JSON, but `answer` is not set");
        return Err(Obstacle {
            at: Some((*place).clone()),
            ..Obstacle::new(message, "add `answer: /POINTER` next to it")
        });
    }
    let is_turn = |role: Role| !matches!(role, Role::System | Role::Developer);
    let turns = case.messages.iter().filter(|message| is_turn(message.role)).count();
    let is_stateful = own.stateful.as_ref().is_some_and(|setting| setting.value);
    let of_question = usize::from(case.dialogue.is_none());
    if is_stateful && turns > of_question {
        let message =
            "`prompt` has earlier messages, but a server that remembers (`stateful`) gets only new ones";
        let help = "move the earlier messages to `turns:`, which are sent one by one";
        return Err(Obstacle::new(message, help));
    }
    let is_long = turns > 1 || case.dialogue.as_ref().is_some_and(|dialogue| dialogue.most() > 1);
    if is_long && !own.sends_history() && !is_stateful {
        let help = if is_http {
            "add `messages: \"{{messages}}\"` to `body`; or write `stateful: true` if the server remembers the conversation"
        } else {
            "set `input: json` under `providerConfig`, or under `providers: { command: … }` in akit.yaml"
        };
        return Err(Obstacle::new("the case is a conversation, but only its last message is sent", help));
    }
    Ok(())
}

impl Settings {
    /// Reports cases that a run would refuse, because the user's own bot, named in their file or in the configuration,
    /// cannot be called.
    pub fn check_bots(&self, loaded: &mut Loaded) {
        let Loaded { scenarios, diagnostics, .. } = loaded;
        for scenario in scenarios.iter() {
            for case in &scenario.cases {
                let asking = self.asking(scenario, case);
                let is_http = asking.provider.value == HTTP;
                // A flag of the run may still name another provider, or the bot.
                let (obstacle, may_change) =
                    if Spec::of(asking.provider.value).is_some_and(|spec| !spec.is_offered()) {
                        (asking.vendor().err(), true)
                    } else if !Spec::is_own(asking.provider.value) {
                        (None, false)
                    } else if let Some(missing) = unnamed(&asking.own, &asking, is_http) {
                        // A setting that only lacks the value of a variable is not missing.
                        (Some(missing).filter(|_| asking.obstacle.is_none()), true)
                    } else {
                        (fits(&asking.own, scenario, case, is_http).err(), false)
                    };
                let Some(Obstacle { message, help, at, .. }) = obstacle else { continue };
                let (file, span) = at.unwrap_or_else(|| (Arc::clone(&scenario.file), case.span));
                let is_told = diagnostics.iter().any(|known| known.message == message && known.span == span);
                if !is_told {
                    let found = Diagnostic::error("wrong-value", &file, span, message).help(help);
                    diagnostics.push(if may_change { found.warn() } else { found });
                }
            }
        }
        diagnostics.sort();
    }

    /// Variables of a case that fill the request of a bot in the configuration are part of the question, so they count
    /// in its hash.
    pub fn hash_variables(&self, scenarios: &mut [Scenario]) {
        if !self.file.providers.values().any(|shared| shared.own.has_variables()) {
            return;
        }
        for scenario in scenarios {
            let hash = |case: &Case| {
                let name = self.asking(scenario, case).provider.value.to_owned();
                let used = self.file.providers.get(&name)?.own.used(&case.variables);
                (!used.is_empty()).then(|| crate::canonical::digest(&json!([case.content_hash, used])))
            };
            let hashes: Vec<_> = scenario.cases.iter().map(hash).collect();
            for (case, hash) in scenario.cases.iter_mut().zip(hashes) {
                case.content_hash = hash.unwrap_or_else(|| std::mem::take(&mut case.content_hash));
            }
        }
    }

    fn server(&self, own: Own, key: Option<Secret>, asking: &Asking<'_>) -> Result<OwnHttp, Obstacle> {
        let server = self.flags.base_url.as_deref();
        if let Some(server) = server.filter(|server| Origin::bare(server.trim()).is_none()) {
            let server = crate::text::excerpt(server.split(['?', '#']).next().unwrap_or_default(), 100);
            let help = "write it as `http://127.0.0.1:8080`, and put the path in `url`";
            return Err(Obstacle::new(
                format!("`--base-url` for provider `{HTTP}` must be a scheme and host, found `{server}`"),
                help,
            ));
        }
        let said_by = asking.address.as_ref().map(|address| address.said_by);
        OwnHttp::new(self.http.clone(), own, key, server).map_err(|error| {
            let obstacle = Obstacle::new(error.to_string(), "write it as `http://127.0.0.1:8080/chat`");
            said_by.map_or(obstacle.clone(), |said_by| obstacle.at(said_by))
        })
    }

    /// A program with its environment. A program that only a change names is not run; a variable that only a change
    /// names is not passed.
    fn program(&self, own: Own, mode: Mode) -> Result<OwnCommand, Obstacle> {
        let shared = self.file.providers.get(COMMAND).map(|shared| &shared.own);
        let names = own.env.as_ref().map(|setting| setting.value.clone()).unwrap_or_default();
        if mode != Mode::Replay
            && let Some(merged) = match self.file.whose {
                Whose::Own => None,
                Whose::Base(_) => Some(shared.cloned().unwrap_or_default()),
                Whose::Change => Some(Own::default()),
            }
        {
            if let Some(setting) = own
                .command
                .as_ref()
                .filter(|setting| self.flags.command.is_empty() && merged.command.as_ref() != Some(*setting))
            {
                return Err(at(setting, "command not run: it comes from an unmerged change", MERGE_FIRST));
            }
            let granted = merged.env.map(|setting| setting.value).unwrap_or_default();
            if let (Some(setting), Some(name)) = (&own.env, names.iter().find(|name| !granted.contains(name)))
            {
                let name = crate::text::excerpt(name, 60);
                return Err(at(
                    setting,
                    format!("`{name}` is not passed to the command: only the change names this variable"),
                    MERGE_FIRST,
                ));
            }
        }
        let value = |name: &str| Some((name.to_owned(), self.environment.get(name)?.to_owned()));
        let environment: Vec<_> =
            USUAL.iter().copied().chain(names.iter().map(String::as_str)).filter_map(value).collect();
        let given =
            names.iter().filter_map(|name| value(name)).filter(|(name, value)| looks_secret(name, value));
        let secrets = given.map(|(_, value)| Secret::new(value)).collect();
        Ok(OwnCommand::new(own, environment, secrets))
    }
}
