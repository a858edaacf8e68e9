//! A summary in GitHub's Markdown, for the page of the job that ran a campaign.
//!
//! What is not as stated comes first, with the command that reproduces it.

use super::{Campaign, Failure, Standing, Tested, Verdict};
use crate::cause::Cause;
use crate::document::{Block, Row, Table, Text};
use crate::markdown;
use crate::numbers::of;
use crate::report;

/// GitHub takes 1 MiB from a step, and shows nothing if there is more. Room is left for what else the step says.
pub const LIMIT: usize = 1_000_000;

/// Prints a campaign in at most [`LIMIT`] bytes.
pub fn render(campaign: &Campaign) -> String {
    fitting(blocks(campaign), LIMIT)
}

fn blocks(campaign: &Campaign) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "Bohr".into()), Block::Paragraph(conclusion(campaign))];
    blocks.push(Block::Code(campaign.command.clone()));
    blocks.extend(surprises(campaign));
    for tested in &campaign.scenarios {
        let title = Text::new().code(&tested.info.name).plain(": ").text(Text::prose(&tested.info.title));
        blocks.push(Block::Heading(3, title));
        blocks.push(Block::Table(verdicts(tested)));
        blocks.extend(failures(tested));
    }
    blocks
}

fn conclusion(campaign: &Campaign) -> Text {
    let (all, surprises) = (campaign.verdicts().count() as u64, campaign.surprises().count() as u64);
    let not_judged = |(_, verdict): &(&Tested, &Verdict)| matches!(verdict.standing, Standing::NotJudged(_));
    let left = campaign.verdicts().filter(not_judged).count() as u64;
    let judged = of(all - left, "verdict");
    let text = match surprises {
        0 => Text::new().plain(format!("✅ {judged}, ")).strong("all as stated"),
        n => Text::new().plain("❌ ").strong(format!("{n} of {judged} not as stated")),
    };
    let text = match left {
        0 => text,
        n => text.plain(format!("; {} not judged", of(n, "other"))),
    };
    match &campaign.ended {
        Some(why) => text.plain(format!(". The run did not come to its end: {why}.")),
        None => text.plain("."),
    }
}

fn surprises(campaign: &Campaign) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (tested, verdict, why) in campaign.surprises() {
        let title = Text::new().plain("Not as stated: ").code(tested.path(verdict));
        blocks.push(Block::Heading(3, title));
        let text = Text::new().code(&verdict.variant).plain(format!(" ({}) {why}.", verdict.role));
        blocks.push(Block::Paragraph(text));
        for seen in verdict.seen.iter().filter(|seen| !seen.expected) {
            blocks.push(Block::Paragraph(Text::new().strong(&seen.headline)));
            let case = tested.failures.iter().find(|failure| {
                failure.case.variant == verdict.variant && failure.case.finding.headline() == seen.headline
            });
            if let Some(Failure { case, .. }) = case {
                blocks.push(Block::Paragraph(Cause::of(case).sentence));
                blocks.push(Block::Code(report::command(case)));
            } else {
                blocks.push(Block::Code(seen.again()));
            }
        }
        if verdict.seen.iter().all(|seen| seen.expected) {
            blocks.push(Block::Code(format!("bohr run {}", tested.path(verdict))));
        }
    }
    blocks
}

/// A row for each form. What it rests on is given for each workload where that differs.
fn verdicts(tested: &Tested) -> Table {
    let header = ["form", "role", "workload", "verdict", "as stated", "checked"];
    let rows = tested.verdicts.iter().map(|verdict| {
        let standing: Text = match &verdict.standing {
            Standing::Expected => "yes".into(),
            Standing::Partly(why) => format!("yes, but {why}").into(),
            Standing::Unstated => "nothing is stated".into(),
            Standing::NotJudged(why) => why.as_str().into(),
            Standing::Surprise(_) => Text::new().plain("❌ ").strong("no"),
        };
        let observed = if verdict.only_observes { " (only observed)" } else { "" };
        Row::Cells(vec![
            Text::new().code(&verdict.variant),
            verdict.role.to_string().into(),
            Text::new().code(&verdict.workload),
            (verdict.in_words() + observed).into(),
            standing,
            verdict.checked.as_str().into(),
        ])
    });
    Table { header: header.map(Text::from).to_vec(), right: Vec::new(), rows: rows.collect() }
}

fn failures(tested: &Tested) -> Option<Block> {
    let items = tested.failures.iter().filter(|failure| failure.expected).map(|failure| {
        let case = &failure.case;
        let text = Text::new().code(&case.variant).plain(" ends in ").strong(case.finding.headline());
        text.plain(format!(" on {}: ", of(failure.workloads, "workload"))).code(report::command(case))
    });
    let items: Vec<Text> = items.collect();
    (!items.is_empty()).then_some(Block::List(items))
}

/// As many blocks as fit, and of the first table or list that does not as many rows; then a remark.
fn fitting(blocks: Vec<Block>, limit: usize) -> String {
    let rest = "The rest does not fit into a summary: the job's log and its other reports have it.";
    let rest = markdown::render(&[Block::Paragraph(rest.into())]);
    let room = limit.saturating_sub(rest.len() + 1);
    let whole = markdown::render(&blocks);
    if whole.len() <= limit {
        return whole;
    }
    let mut out = String::new();
    for block in blocks {
        let text = markdown::render(std::slice::from_ref(&block));
        if out.len() + text.len() < room {
            out += &text;
            out.push('\n');
            continue;
        }
        if let Some(text) = part(block, room.saturating_sub(out.len() + 1)) {
            out += &text;
            out.push('\n');
        }
        break;
    }
    out + &rest
}

/// The rows or items of a block that fit.
fn part(block: Block, room: usize) -> Option<String> {
    let lines = markdown::render(std::slice::from_ref(&block));
    let head = match block {
        Block::Table(_) => 2,
        Block::List(_) => 0,
        _ => return None,
    };
    let mut ends = lines.match_indices('\n').map(|(at, _)| at + 1);
    let end = ends.by_ref().enumerate().take_while(|(_, end)| *end <= room).last();
    end.filter(|(line, _)| *line >= head).map(|(_, end)| lines[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limit: usize, expected: &[&str]) {
        let row = |text: &str| Row::Cells(vec![text.into()]);
        let table =
            Table { header: vec!["n".into()], right: Vec::new(), rows: ["1", "2", "3"].map(row).to_vec() };
        let blocks =
            vec![Block::Paragraph("first".into()), Block::Table(table), Block::Code("x".repeat(900))];
        let text = fitting(blocks, limit);
        assert!(text.len() <= limit, "{} > {limit}", text.len());
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with("The rest")).collect();
        assert_eq!(lines, expected);
        assert_eq!(text.contains("The rest"), limit < 900);
    }

    #[test]
    fn what_does_not_fit_is_cut_between_rows() {
        check(100, &["first"]);
        check(114, &["first", "| n |", "| --- |", "| 1 |"]);
        check(120, &["first", "| n |", "| --- |", "| 1 |", "| 2 |"]);
        check(400, &["first", "| n |", "| --- |", "| 1 |", "| 2 |", "| 3 |"]);
        let whole = "x".repeat(900);
        check(2_000, &["first", "| n |", "| --- |", "| 1 |", "| 2 |", "| 3 |", "```text", &whole, "```"]);
    }
}
