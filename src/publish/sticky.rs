//! One comment on a change, kept up to date.
//!
//! It is known by its marker *and* its author: a marker alone can be written by anybody, and a token
//! that may write can overwrite what others wrote. What a newer run said is never overwritten, nor what another suite
//! said of the same commit: where two speak at the same moment, each looks a moment later whether its part stands. A
//! comment whose creation got no clear answer is looked for before it is sent again.

use std::time::Duration;

use strum::{EnumMessage, IntoStaticStr, VariantArray};

use super::forge::Forge;
use super::marker::Key;
use super::request::{ForgeError, Patience, Posted};
use super::suite::{self, Comment, Merged, Section};

/// When there is a comment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum CommentMode {
    /// On every run
    #[default]
    Always,
    /// Once a case differs from the baseline, or the gate does not pass
    OnChange,
    /// Once the gate does not pass
    OnFail,
    /// On every run, as a new comment; delete the old one
    Recreate,
}

/// Bytes of a comment with its marker.
pub(super) const MOST: usize = 60_000;

/// How long others may take to say their part, before it is looked at whether ours still stands.
const AFTER: Duration = Duration::from_secs(1);

/// How often ours is said again where others have said theirs in its place.
const ROUNDS: u32 = 4;

/// What is to be said.
#[derive(Clone, Debug)]
pub(super) struct Note<'a> {
    pub(super) key: &'a Key,
    pub(super) commit: Option<&'a str>,
    pub(super) section: &'a Section,
    pub(super) wanted: bool,
}

impl Note<'_> {
    /// Whether a comment says it.
    fn stands_in(&self, comment: &Comment) -> bool {
        let section = self.section;
        comment.sections.iter().any(|one| one.suite == section.suite && one.turn == section.turn)
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// A new comment, and where it is.
    Created(String),
    /// The same, by another account than the one whose comments are looked for.
    CreatedAs {
        /// Where it is.
        place: String,
        /// Who wrote it.
        author: String,
        /// Whose comments are looked for.
        sought: String,
    },
    /// The old comment says it now.
    Updated(String),
    /// A newer run has spoken there.
    Newer(String),
    /// There was none, and the mode wants none for this run.
    Unwanted,
}

/// Makes the comment say the note.
pub(super) async fn post(
    forge: &Forge,
    change: u64,
    author: Option<&str>,
    note: &Note<'_>,
    mode: CommentMode,
) -> Result<Done, ForgeError> {
    let mut patience = Patience::default();
    let me = match author {
        Some(name) => name.to_owned(),
        None => patience.with(async || forge.me().await).await?,
    };
    let mut talk = Talk { forge, change, me, note, patience };
    let mut done = talk.say(mode).await?;
    if matches!(done, Done::Newer(_) | Done::Unwanted) {
        return Ok(done);
    }
    for _ in 1..ROUNDS {
        tokio::time::sleep(AFTER).await;
        // The comment stands: trouble with a second look is none of the run's.
        let Ok(own) = talk.own().await else { break };
        let says = own.iter().any(|(comment, _)| note.stands_in(comment));
        if says && own.len() == 1 {
            break;
        }
        // Another suite has spoken at the same moment.
        match talk.say(CommentMode::Always).await {
            Ok(Done::Updated(place)) if matches!(done, Done::Created(_)) => done = Done::Created(place),
            Ok(Done::Unwanted | Done::Newer(_)) | Err(_) => break,
            Ok(said) => done = said,
        }
    }
    Ok(done)
}

struct Talk<'a> {
    forge: &'a Forge,
    change: u64,
    me: String,
    note: &'a Note<'a>,
    patience: Patience,
}

impl Talk<'_> {
    /// Says the note once, beside what others said.
    async fn say(&mut self, mode: CommentMode) -> Result<Done, ForgeError> {
        let Note { key, commit, section, wanted } = *self.note;
        let own = self.own().await?;
        let comments: Vec<_> = own.iter().map(|(comment, _)| comment.clone()).collect();
        let sections = match suite::merge(&comments, section.clone(), commit) {
            Merged::Said(sections) => sections,
            Merged::Newer(index) => return Ok(Done::Newer(own[index].1.place.clone())),
        };
        let had = comments.iter().any(|comment| {
            comment.sections.is_empty() || comment.sections.iter().any(|one| one.suite == section.suite)
        });
        if !had && !wanted {
            return Ok(Done::Unwanted);
        }
        let body = suite::compose(key, commit, &sections, MOST);
        let newest = own.last().filter(|_| mode != CommentMode::Recreate).map(|(_, posted)| posted.id);
        let updated = match newest {
            Some(id) => self.update(id, &body).await?,
            None => None,
        };
        let (done, kept) = if let Some(posted) = updated {
            (Done::Updated(posted.place), posted.id)
        } else {
            let posted = self.create(&own, &body).await?;
            let id = posted.id;
            (self.created(posted), id)
        };
        // Two that ran at the same time may each have made one; what the other said is in ours now.
        for (_, posted) in own.iter().filter(|(_, posted)| posted.id != kept) {
            // The comment stands; one that is left over is deleted by the next run.
            let _ = self.delete(posted.id).await;
        }
        Ok(done)
    }

    /// Our comments with this key, oldest first.
    async fn own(&mut self) -> Result<Vec<(Comment, Posted)>, ForgeError> {
        let (forge, change) = (self.forge, self.change);
        let mut found: Vec<(Comment, Posted)> = Vec::new();
        for page in 1.. {
            let (posted, more) = self.patience.with(async || forge.page(change, page).await).await?;
            for one in posted.into_iter().filter(|one| one.author.eq_ignore_ascii_case(&self.me)) {
                if let Some(comment) = suite::read(&one.body, self.note.key) {
                    // A comment that moves to another page while pages are read is seen twice.
                    if found.iter().all(|(_, known)| known.id != one.id) {
                        found.push((comment, one));
                    }
                }
            }
            if !more {
                break;
            }
        }
        found.sort_by_key(|(_, posted)| posted.id);
        Ok(found)
    }

    /// `None` where somebody has deleted it meanwhile.
    async fn update(&mut self, id: u64, body: &str) -> Result<Option<Posted>, ForgeError> {
        let (forge, change) = (self.forge, self.change);
        match self.patience.with(async || forge.update(change, id, body).await).await {
            Ok(posted) => Ok(Some(posted)),
            Err(ForgeError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create(&mut self, before: &[(Comment, Posted)], body: &str) -> Result<Posted, ForgeError> {
        loop {
            let error = match self.forge.create(self.change, body).await {
                Ok(posted) => return Ok(posted),
                Err(error) => error,
            };
            let unclear = error.unclear();
            self.patience.after(error).await?;
            if !unclear {
                continue;
            }
            let own = self.own().await?;
            let new = own.into_iter().find(|(comment, posted)| {
                self.note.stands_in(comment) && before.iter().all(|(_, old)| old.id != posted.id)
            });
            if let Some((_, posted)) = new {
                return Ok(posted);
            }
        }
    }

    /// What became of a new comment; the next run finds it by its author.
    fn created(&self, posted: Posted) -> Done {
        let Posted { place, author, .. } = posted;
        if author.is_empty() || author.eq_ignore_ascii_case(&self.me) {
            return Done::Created(place);
        }
        Done::CreatedAs { place, author, sought: self.me.clone() }
    }

    async fn delete(&mut self, id: u64) -> Result<(), ForgeError> {
        let (forge, change) = (self.forge, self.change);
        match self.patience.with(async || forge.delete(change, id).await).await {
            Err(ForgeError::Refused { status: 404, .. }) => Ok(()),
            done => done,
        }
    }
}
