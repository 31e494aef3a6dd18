//! Imported promptfoo conversations: `_conversation` becomes turns; a simulated user does not become a single
//! question.

use crate::Akit;
use crate::akit::Ran;

const PROMPT: &str = r#"[
  { "role": "system", "content": "Be {{ tone }}." },
  {% for completion in _conversation %}
    { "role": "user", "content": "{{ completion.input }}" },
    { "role": "assistant", "content": "{{ completion.output }}" },
  {% endfor %}
  { "role": "user", "content": "{{ question }}" }
]"#;

const TESTS: &str = "
prompts: [file://prompt.json]
providers: [openai:gpt-4o-mini]
defaultTest: { vars: { tone: kind } }
tests:
  - description: The founder
    vars: { question: Who founded it?, name: Ada }
    assert: [{ type: icontains, value: \"{{name}}\" }]
  - vars: { question: \"And {braces} for ${MONEY}?\" }
  - vars: { question: Any siblings?, name: Grace }
    assert: [{ type: icontains, value: \"{{name}}\" }, { type: icontains, value: sister }]
  - vars: { question: Another conversation }
    metadata: { conversationId: two }
    assert: [{ type: icontains, value: fine }]
";

fn import(tests: &str, prompt: &str) -> Ran {
    Akit::new(&["import", "promptfoo", "p.yaml", "-o", "s.yaml"])
        .file("p.yaml", tests)
        .file("prompt.json", prompt)
        .run()
}

#[test]
fn tests_of_one_conversation_become_turns_of_one_case() {
    let ran = import(TESTS, PROMPT).ended(0);
    let text = ran.read("s.yaml");
    ran.then(&["validate", "s.yaml"]).run().ended(0);
    assert_eq!(text.matches("  - id: ").count(), 2, "{text}");
    assert_eq!(text.matches("- user: ").count(), 4, "{text}");
    // Judged per turn: the first answer does not meet the expectation of the third.
    let said = |answers: [&str; 3]| {
        let turns = ["Who founded it?", "And {braces} for ${MONEY}?", "Any siblings?"];
        let pairs: Vec<_> = turns.into_iter().zip(answers.map(serde_json::Value::from)).collect();
        let id = text.lines().find_map(|line| line.trim().strip_prefix("- id: ")).unwrap();
        let line = super::recorded(id, &pairs);
        ran.then(&["run", "s.yaml", "--replies", "r.jsonl", "--filter", id]).file("r.jsonl", line).run()
    };
    said(["It was ada.", "Yes.", "A sister, Grace."]).ended(0);
    said(["It was ada, and her sister Grace.", "Yes.", "No."]).ended(1);
    said(["It was Grace.", "Yes.", "A sister, Grace."]).ended(1);
}

#[test]
fn a_loop_in_another_form_is_left_out_with_a_note() {
    let forms = [
        PROMPT.replace("completion.output", "completion.input"),
        PROMPT.replace("{% for", "{% if x %}{% for"),
        PROMPT.replace("in _conversation", "in _conversation | reverse"),
        "{% for one in _conversation %}User: {{ one.input }}{% endfor %} {{ question }}".to_owned(),
    ];
    for form in forms {
        let ran = import(TESTS, &form);
        assert_ne!(ran.status, 0, "{form}\n{}", ran.stdout);
        assert!(ran.stderr.contains("was not imported"), "{}", ran.stderr);
    }
    let piped = PROMPT
        .replace("\"{{ completion.input }}\"", "{{ completion.input | dump }}")
        .replace("\"{{ completion.output }}\"", "{{completion.output|dump}}")
        .replace("{%", "{%-");
    import(TESTS, &piped).ended(0);
}

#[test]
fn a_simulated_user_does_not_become_a_question() {
    let provider = "{ id: \"promptfoo:simulated-user\", config: { maxTurns: 10 } }";
    let test = "  - vars: { instructions: You are Mia. }\n    assert: [{ type: icontains, value: booked }]\n";
    let other = "  - { vars: { instructions: none }, assert: [{ type: icontains, value: other }] }\n";
    let files = [
        format!(
            "prompts: [You help.]\nproviders: [openai:gpt-4o-mini]\ndefaultTest: {{ provider: {provider} }}\ntests:\n{test}"
        ),
        format!(
            "prompts: [You help.]\nproviders: [openai:gpt-4o-mini]\ntests:\n{test}    provider: {provider}\n"
        ),
        format!(
            "prompts: [You help.]\nproviders: [openai:gpt-4o-mini]\ntests:\n{test}    provider: promptfoo:simulated-user\n"
        ),
        format!("prompts: [You help.]\nproviders: [{provider}]\ntests:\n{test}"),
    ];
    for file in files {
        let ran = import(&file, "");
        assert_ne!(ran.status, 0, "{file}\n{}", ran.stdout);
        assert!(ran.stderr.contains("a model plays the customer"), "{}", ran.stderr);
    }
    // Next to a test that can be imported, it becomes a comment.
    let file = format!(
        "prompts: [You help.]\nproviders: [openai:gpt-4o-mini]\ntests:\n{test}    provider: {provider}\n{other}"
    );
    let suite = import(&file, "").ended(0).read("s.yaml");
    assert!(suite.contains("this case was not imported: a model plays the customer;"), "{suite}");
    assert!(suite.contains("You are Mia"), "{suite}");
    let mut lines = suite.lines().filter(|line| line.contains("You are Mia"));
    assert!(lines.all(|line| line.trim_start().starts_with('#')), "{suite}");
}
