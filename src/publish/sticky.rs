//! One comment on a change, kept up to date.
//!
//! akit recognizes it by its marker *and* its author: anyone can write the marker, and a token with write access can
//! overwrite others' comments. A newer run's result is never overwritten, and neither is another suite's section for
//! the same commit: if two runs post at once, each checks shortly afterwards whether its section is still there. If it
//! is unclear whether a comment was created, akit looks for it before creating it again.

use std::time::Duration;

use strum::{EnumMessage, IntoStaticStr, VariantArray};

use super::forge::Forge;
use super::marker::Key;
use super::request::{ForgeError, Patience, Posted};
use super::suite::{self, Comment, Merged, Section};

/// When to comment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum CommentMode {
    /// On every run
    #[default]
    Always,
    /// When a case differs from the baseline or the gate does not pass; later runs update it
    OnChange,
    /// When the gate does not pass; later runs update it
    OnFail,
    /// On every run, as a new comment; delete the old one
    Recreate,
}

/// Maximum number of bytes in a comment with its marker.
pub(super) const MOST: usize = 60_000;

/// How long to wait for other runs before checking whether our section is still there.
const AFTER: Duration = Duration::from_secs(1);

/// How many times our section is posted again after others have overwritten it.
const ROUNDS: u32 = 4;

/// What to post.
#[derive(Clone, Debug)]
pub(super) struct Note<'a> {
    pub(super) key: &'a Key,
    pub(super) commit: Option<&'a str>,
    pub(super) section: &'a Section,
    pub(super) wanted: bool,
}

impl Note<'_> {
    /// Whether a comment contains it.
    fn stands_in(&self, comment: &Comment) -> bool {
        let section = self.section;
        comment.sections.iter().any(|one| one.suite == section.suite && one.turn == section.turn)
    }
}

/// What happened to the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Created at this address.
    Created(String),
    /// Created by a different account than the one whose comments akit looks for.
    CreatedAs {
        /// Its address.
        place: String,
        /// Its author.
        author: String,
        /// The account whose comments akit looks for.
        sought: String,
    },
    /// The old comment was updated.
    Updated(String),
    /// A newer run has already commented.
    Newer(String),
    /// There was no comment, and the mode does not post a first one for this run.
    Unwanted,
}

/// Posts the note, and checks that it stays.
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
        // The comment is posted: a failed check afterwards is not the run's problem.
        let Ok(own) = talk.own().await else { break };
        let says = own.iter().any(|(comment, _)| note.stands_in(comment));
        if says && own.len() == 1 {
            break;
        }
        // Another suite has posted at the same time.
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
    /// Posts the note once, next to the sections of others.
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
        // Two runs at the same time may each have created a comment; ours now has the other's section, too.
        for (_, posted) in own.iter().filter(|(_, posted)| posted.id != kept) {
            // Our comment is posted; the next run deletes any that is left over.
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
                    // A comment that moves to another page while pages are read appears twice.
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

    /// Updates a comment; `None` if it has been deleted.
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

    /// The result for a new comment; the next run finds it by its author.
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
