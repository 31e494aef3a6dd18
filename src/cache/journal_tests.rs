use serde_json::json;

use super::*;

fn asked(n: u32, purpose: &str) -> Asked {
    Asked { kind: ExchangeKind::Reply, key: format!("{n:064}"), purpose: purpose.to_owned(), seed: None }
}

fn noted(n: u32, purpose: &str, text: &str) -> Noted {
    let at = "2026-01-02T03:04:05Z".to_owned();
    Noted { asked: asked(n, purpose), latency_ms: 7, at, response: json!({ "text": text }) }
}

fn text(noted: Option<Noted>) -> Option<Json> {
    noted.map(|noted| noted.response["text"].clone())
}

fn begin(folder: &Path) -> Journal {
    Journal::begin(folder, "a").unwrap().0
}

fn file(folder: &Path) -> PathBuf {
    folder.join("a.jsonl")
}

/// Opens the journal again. A program started by another test inherits this process's locks for a moment.
fn resumed(folder: &Path) -> Journal {
    for _ in 0..500 {
        match Journal::resume(folder, "a") {
            Err(JournalError::Busy(_)) => std::thread::sleep(std::time::Duration::from_millis(10)),
            found => return found.unwrap(),
        }
    }
    panic!("the journal stays locked");
}

#[test]
fn a_run_finds_its_answers_again_each_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("journal");
    assert!(matches!(Journal::resume(&place, "a"), Err(JournalError::Nothing(_))));
    let first = begin(&place);
    for (n, purpose, said) in [(1, "a", "1a"), (1, "b", "1b"), (2, "a", "2a"), (1, "a", "1a again")] {
        first.note(&noted(n, purpose, said)).unwrap();
    }
    // One answered request, one still in flight, and one that does not count.
    for (usd, then) in [(0.5, Some(0.25)), (0.75, None), (0.5, Some(0.0))] {
        let number = first.next_try();
        first.pay(number, usd).unwrap();
        if let Some(then) = then {
            first.pay(number, then).unwrap();
        }
    }
    assert_eq!(fs::read_to_string(place.join(IGNORE)).unwrap(), "*\n");
    assert!(matches!(Journal::resume(&place, "a"), Err(JournalError::Busy(_))));
    assert!(matches!(Journal::begin(&place, "a"), Err(JournalError::Busy(_))));
    drop(first);

    let second = Journal::resume(&place, "a").unwrap();
    assert!((second.spent_usd() - 1.0).abs() < 1e-9);
    assert!(
        second.holds(&asked(1, "b")) && second.had_asked(&asked(2, "").key) && !second.holds(&asked(3, "a"))
    );
    // Another seed is another question.
    assert_eq!(second.take(&Asked { seed: Some(1), ..asked(1, "b") }), None);
    assert_eq!(text(second.take(&asked(1, "b"))), Some(json!("1b")));
    assert_eq!(text(second.take(&asked(1, "a"))), Some(json!("1a")));
    assert_eq!(text(second.take(&asked(1, "a"))), Some(json!("1a again")));
    assert_eq!(second.take(&asked(1, "a")), None);
    assert!(
        second.had_asked(&asked(1, "").key) && !second.holds(&asked(1, "a")) && second.has_replies_left()
    );
    assert_eq!(text(second.take(&asked(2, "a"))), Some(json!("2a")));
    assert!(!second.has_replies_left());
    // Interrupted once more.
    second.pay(second.next_try(), 0.5).unwrap();
    second.note(&noted(3, "a", "3a")).unwrap();
    drop(second);
    let third = Journal::resume(&place, "a").unwrap();
    assert_eq!(third.answers(), 5);
    assert!((third.spent_usd() - 1.5).abs() < 1e-9, "{}", third.spent_usd());
    assert_eq!(text(third.take(&asked(3, "a"))), Some(json!("3a")));
    third.end();
    assert!(matches!(Journal::resume(&place, "a"), Err(JournalError::Nothing(_))));
    assert!(!place.exists(), "the journal must be removed");
}

#[test]
fn an_abandoned_journal_is_removed_even_if_nothing_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    begin(folder.path()).note(&noted(1, "a", "1")).unwrap();
    let (anew, given_up) = Journal::begin(folder.path(), "a").unwrap();
    assert_eq!(given_up, 1);
    drop(anew);
    assert!(matches!(Journal::resume(folder.path(), "a"), Err(JournalError::Nothing(_))));
    Journal::begin(folder.path(), "a").unwrap().0.end();
    assert!(!file(folder.path()).exists());
}

#[test]
fn a_truncated_line_is_ignored_wherever_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let journal = begin(folder.path());
    journal.note(&noted(1, "a", "whole\nline")).unwrap();
    let whole = fs::read(journal.path()).unwrap();
    journal.note(&noted(2, "a", "{\"key\":")).unwrap();
    let both = fs::read(journal.path()).unwrap();
    drop(journal);
    for cut in whole.len()..both.len() {
        fs::write(file(folder.path()), &both[..cut]).unwrap();
        let journal = resumed(folder.path());
        assert!(!journal.holds(&asked(2, "a")));
        journal.note(&noted(3, "a", "after")).unwrap();
        drop(journal);
        let journal = resumed(folder.path());
        assert_eq!(text(journal.take(&asked(1, "a"))), Some(json!("whole\nline")), "{cut}");
        assert_eq!(text(journal.take(&asked(3, "a"))), Some(json!("after")), "{cut}");
    }
    // Before its first answer.
    for cut in 0..HEAD.len() {
        fs::write(file(folder.path()), &HEAD[..cut]).unwrap();
        assert!(matches!(Journal::resume(folder.path(), "a"), Err(JournalError::Nothing(_))), "{cut}");
    }
}

#[test]
fn foreign_lines_are_not_used_as_answers() {
    let folder = tempfile::tempdir().unwrap();
    let journal = begin(folder.path());
    journal.note(&noted(1, "a", "right")).unwrap();
    let line = fs::read_to_string(journal.path()).unwrap().lines().nth(1).unwrap().to_owned();
    drop(journal);
    for (right, wrong) in [
        ("2026-01-02T03:04:05Z", "zzzz<script>"),
        ("\"latency_ms\":7", "\"latency_ms\":-7"),
        ("{\"text\":\"right\"}", "{"),
        ("\"reply\"", "\"bribe\""),
    ] {
        assert!(line.contains(right), "{line}");
        let bad = line.replace(right, wrong);
        fs::write(file(folder.path()), [HEAD, bad.as_bytes(), b"\n", line.as_bytes(), b"\n"].concat())
            .unwrap();
        let journal = resumed(folder.path());
        assert_eq!(
            (journal.answers(), text(journal.take(&asked(1, "a")))),
            (1, Some(json!("right"))),
            "{bad}"
        );
    }
}

#[test]
fn foreign_costs_are_ignored_and_a_journal_with_only_costs_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    for (line, spent) in [
        (r#"{"try":1,"usd":0.5}"#, 0.5),
        (r#"{"try":1,"usd":-0.5}"#, 0.0),
        (r#"{"try":1,"usd":1e999}"#, 0.0),
        (r#"{"try":1,"usd":0.5,"x":1}"#, 0.0),
        (r#"{"try":1,"usd":0.0}"#, 0.0),
    ] {
        fs::write(file(folder.path()), [HEAD, line.as_bytes(), b"\n"].concat()).unwrap();
        let found = Journal::resume(folder.path(), "a").map_or(0.0, |journal| journal.spent_usd());
        assert!((found - spent).abs() < 1e-9, "{line}: {found}");
    }
}

#[test]
#[cfg(unix)]
fn other_files_are_neither_read_nor_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (precious, place) = (folder.path().join("precious"), folder.path().join("journal"));
    fs::create_dir(&place).unwrap();
    let text = "somebody's own\nno newline";
    let makes: [(&str, &dyn Fn()); 4] = [
        ("link", &|| std::os::unix::fs::symlink(&precious, file(&place)).unwrap()),
        ("second name", &|| fs::hard_link(&precious, file(&place)).unwrap()),
        ("file", &|| fs::write(file(&place), text).unwrap()),
        ("pipe", &|| {
            let made = std::process::Command::new("mkfifo").arg(file(&place)).status();
            assert!(made.unwrap().success());
        }),
    ];
    for (what, make) in makes {
        fs::write(&precious, text).unwrap();
        make();
        assert!(matches!(Journal::resume(&place, "a"), Err(JournalError::Unreadable(..))), "{what}");
        assert!(matches!(Journal::begin(&place, "a"), Err(JournalError::Unreadable(..))), "{what}");
        let late = Journal { path: file(&place), state: Mutex::default() };
        assert!(late.note(&noted(1, "a", "1")).is_err(), "{what}");
        late.end();
        assert_eq!(fs::read_to_string(&precious).unwrap(), text, "{what}");
        fs::remove_file(file(&place)).unwrap();
    }
    // The folder itself.
    fs::remove_dir_all(&place).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
    assert!(matches!(Journal::begin(&place, "a"), Err(JournalError::Unreadable(..))));
    let late = Journal { path: file(&place), state: Mutex::default() };
    assert!(late.note(&noted(1, "a", "1")).is_err());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}
