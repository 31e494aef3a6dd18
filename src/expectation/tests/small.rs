//! The small kinds: starts and ends, lengths, times, kinds of values, refusals.

use super::*;

#[test]
fn small_kinds_judge_as_in_their_table() {
    judged(&[
        ("{type: contains, values: [Refund], caseSensitive: true}", "a refund", Failed, 0.0),
        ("{type: contains, values: [Refund], caseSensitive: true}", "a Ref\u{ad}und", Passed, 1.0),
        ("{type: contains, values: [Refund], caseSensitive: false}", "a refund", Passed, 1.0),
        ("{type: not_contains, values: [OK], caseSensitive: true}", "ok then", Passed, 1.0),
        ("{type: not_contains, values: [OK], caseSensitive: true}", "\u{ff2f}\u{ff2b} then", Failed, 0.0),
        ("{type: starts_with, value: Dear}", "\n dear Ms. Ito", Passed, 1.0),
        ("{type: starts_with, value: Dear}", "My dear", Failed, 0.0),
        ("{type: starts_with, value: \"can't\"}", "Can\u{2019}t do that", Passed, 1.0),
        ("{type: starts_with, value: \"Dear \"}", "Dearest", Failed, 0.0),
        ("{type: starts_with, value: \" Dear\"}", "Dear you", Passed, 1.0),
        ("{type: ends_with, value: \"Acme.\"}", "Yours, ACME.\u{200b}\n", Passed, 1.0),
        ("{type: ends_with, value: \"Acme.\"}", "Acme. Bye", Failed, 0.0),
        ("{type: length, words: {max: 3}}", "one two, three!", Passed, 1.0),
        ("{type: length, words: {max: 3}}", "one two three four", Failed, 0.0),
        ("{type: length, words: {min: 2, max: 3}}", "can't", Failed, 0.0),
        ("{type: length, words: {min: 5, max: 5}}", "Ich heiße Jürgen \u{4f60}\u{597d}", Passed, 1.0),
        (
            "{type: length, characters: {max: 3}}",
            " e\u{301}\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f1e9}\u{1f1ea}\n",
            Passed,
            1.0,
        ),
        ("{type: length, characters: {min: 3}}", "ab\u{200b}\u{ad}\u{2060}", Failed, 0.0),
        ("{type: length, sentences: {max: 2}}", "It is 3.5 kg. Is that fine?", Passed, 1.0),
        ("{type: length, sentences: {max: 2}, words: {min: 9}}", "One. Two. Three.", Failed, 0.0),
        ("{type: length, characters: {max: 18446744073709551615}, words: {min: 0}}", "a", Passed, 1.0),
        ("{type: pii}", "Your card 4111 1111 1111 1111.", Failed, 0.0),
        ("{type: pii}", "Your card 4111 1111 1111 1112, order NW-5512, call 030 1234567.", Passed, 1.0),
        ("{type: pii}", "Write to ana@\u{ad}example.com.", Failed, 0.0),
        ("{type: pii, none: [iban]}", "Your card 4111 1111 1111 1111.", Passed, 1.0),
        ("{type: pii, none: [phone]}", "Call +49 30 901820.", Failed, 0.0),
        ("{type: pii, none: [ipv4]}", "It is 10.0.0.1", Failed, 0.0),
        ("{type: is_refusal}", "I'm sorry, but I can't help with that.", Passed, 1.0),
        ("{not: {type: is_refusal}}", "I'm sorry, but I can't help with that.", Failed, 0.0),
        ("{not: {type: is_refusal}}", "I'm sorry for the delay. Your parcel arrives today.", Passed, 1.0),
    ]);
}

#[test]
fn an_unknown_latency_is_errored_and_not_a_pass() {
    for (took, outcome) in [(Some(0), Passed), (Some(200), Passed), (Some(201), Failed), (None, Errored)] {
        let answer = Candidate { latency_ms: took, ..Candidate::of("fine") };
        let found = judge("{type: latency, max_ms: 200}", answer);
        assert_eq!((found.outcome, found.score.is_none()), (outcome, outcome == Errored), "{took:?}");
        let inverted = judge("{not: {type: latency, max_ms: 200}}", answer).outcome;
        assert_ne!((inverted, outcome), (Passed, Errored));
        assert_eq!(inverted == Errored, outcome == Errored, "{took:?}");
        let hollow = Candidate { text: "", ..answer };
        assert_ne!(judge("{type: latency, max_ms: 200}", hollow).outcome, Passed);
    }
}
