//! The pages in a real browser. Without one these tests say so and check nothing; `.ci/browser` sees to it that there is
//! one. `BOHR_SCREENSHOTS` keeps pictures of what they saw, `BOHR_AXE` names the accessibility checker.

// What was skipped, and what was measured, is for who runs the tests.
#![allow(clippy::print_stderr)]

mod chromium;
mod long;
#[path = "../report/support/mod.rs"]
#[allow(dead_code)]
mod support;

use bohr_report::model::{BugReport, Fixed, Forms, SourceFile};
use bohr_report::{index, json, page};
use chromium::Page;
use std::path::{Path, PathBuf};
use std::{env, fs};
use tempfile::TempDir;

const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// A page that was written for a test.
struct Written {
    folder: TempDir,
}

impl Written {
    fn of(bug: &BugReport) -> Written {
        let folder = tempfile::tempdir().unwrap();
        let html = page::html(bug, &json::Report::of(bug));
        fs::write(folder.path().join("report.html"), html).unwrap();
        Written { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("report.html")
    }
}

/// Opens a page; nothing, with a word on standard error, if there is no browser.
fn open(file: &Path, size: (u32, u32)) -> Option<Page> {
    let Some(browser) = chromium::installed() else {
        eprintln!("SKIPPED: there is no Chromium here; name one with BOHR_CHROMIUM, or run .ci/browser");
        return None;
    };
    Some(Page::open(&browser, file, size))
}

/// A small bug whose page has everything: a schedule that fails, one that passes, and a fixed form.
fn tiny() -> BugReport {
    let mut bug = support::bug::bug();
    let file = |name: &str, text: &str| SourceFile { file: name.to_owned(), text: text.to_owned() };
    let named = bug.cases.iter().flat_map(json::files).filter(|name| name.ends_with("programs.rs"));
    let programs = named.max().expect("steps stand in the source");
    bug.sources = vec![
        file(&programs, include_str!("../report/support/programs.rs")),
        file("buggy.rs", "fn count() {\n    hits.set(hits.get() + 1);\n}\n"),
        file("fixed.rs", "fn count() {\n    hits.add(1);\n}\n"),
    ];
    bug.forms = Some(Forms { buggy: "buggy.rs".into(), fixed: "fixed.rs".into() });
    bug.cases.reverse();
    let case = &mut bug.cases[0];
    let passing = json::passing(case).expect("an order decides").trace.clone();
    case.fixed = Some(Fixed { variant: "fixed".into(), findings: Vec::new(), trace: passing });
    bug
}

fn reports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports")
}

/// The words of what is to be seen at a place, as a reader has them.
fn words(page: &mut Page, selector: &str) -> String {
    let found = page.eval(&format!("document.querySelector({selector:?})?.innerText ?? 'nothing'"));
    found.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn click(page: &mut Page, selector: &str) {
    page.eval(&format!("document.querySelector({selector:?}).click()"));
}

/// Presses a button by its words.
fn button(page: &mut Page, words: &str) {
    let find = format!(
        "[...document.querySelectorAll('#explorer button')].find((b) => b.innerText === {words:?}).click()"
    );
    page.eval(&find);
}

fn no_complaints(page: &Page) {
    assert!(page.complaints.is_empty(), "{:#?}", page.complaints);
}

#[test]
fn stepping_through_ends_at_the_finding() {
    let written = Written::of(&tiny());
    let Some(mut page) = open(&written.file(), DESKTOP) else { return };
    let case = &tiny().cases[0];
    let headline = case.finding.headline();
    assert!(words(&mut page, ".now").starts_with("Step 1: "), "{}", words(&mut page, ".now"));
    let steps = page.eval("Number(document.querySelector('#explorer [type=range]').max)").as_u64().unwrap();
    assert!(steps > 4, "{steps} steps");
    for step in 1..steps {
        button(&mut page, "Next");
        let now = words(&mut page, ".now");
        assert!(now.starts_with(&format!("Step {}: ", step + 1)), "{now}");
        assert!(!now.contains(&headline), "{now}");
        let current = words(&mut page, ".timeline [aria-current=step] .number");
        assert_eq!(current, (step + 1).to_string());
        let line: u64 =
            words(&mut page, ".source .here .number").parse().expect("a line of the source is marked");
        let place = words(&mut page, ".where");
        assert!(place.ends_with(&format!("programs.rs:{line}")), "{place}");
    }
    button(&mut page, "Next");
    assert_eq!(words(&mut page, ".now"), format!("The end: {headline}"));
    // There is nothing behind the end.
    button(&mut page, "Next");
    assert_eq!(words(&mut page, ".now"), format!("The end: {headline}"));
    button(&mut page, "Back");
    assert!(words(&mut page, ".now").starts_with(&format!("Step {steps}: ")));
    no_complaints(&page);
}

#[test]
fn the_present_step_shows_what_objects_hold_and_who_waits() {
    let mut bug = tiny();
    bug.cases = vec![support::failing("buggy", support::programs::deadlock)];
    let written = Written::of(&bug);
    let Some(mut page) = open(&written.file(), DESKTOP) else { return };
    // Two tasks lock two mutexes in opposite orders: at the end each waits for the other's.
    button(&mut page, "End");
    let waiting = page.eval("document.querySelectorAll('.tasks .waits').length");
    let tasks = words(&mut page, ".tasks");
    assert!(waiting.as_u64() >= Some(2), "{tasks}");
    assert!(tasks.contains("waits for") && tasks.contains(".Lock"), "{tasks}");
    let objects = words(&mut page, ".objects");
    assert!(objects.contains("sync.Mutex") && objects.contains("locked"), "{objects}");
    no_complaints(&page);
}

#[test]
fn a_passing_and_the_fixed_run_can_be_put_beside() {
    let written = Written::of(&tiny());
    let Some(mut page) = open(&written.file(), DESKTOP) else { return };
    click(&mut page, "#explorer input[value=passing]");
    button(&mut page, "End");
    assert_eq!(words(&mut page, ".now"), "The end: nothing failed");
    click(&mut page, "#explorer input[type=checkbox]");
    assert_eq!(page.eval("document.querySelectorAll('.panes.two .timeline').length"), 2);
    let heads = words(&mut page, ".panes");
    assert!(heads.contains("buggy, failing") && heads.contains("buggy, passing"), "{heads}");
    // Where they part is marked, in the run that is compared.
    let differs =
        page.eval("[...document.querySelectorAll('.differs')].map((row) => Number(row.dataset.at))");
    let expected = json::passing(&tiny().cases[0]).unwrap().first_difference;
    assert_eq!(differs, serde_json::json!([expected]));
    click(&mut page, "#explorer input[value=fixed]");
    let heads = words(&mut page, ".panes");
    assert!(heads.contains("buggy, failing") && heads.contains("fixed, same turns"), "{heads}");
    page.screenshot("tiny-beside", true);
    no_complaints(&page);
}

#[test]
fn keys_step_and_go_to_the_ends() {
    let written = Written::of(&tiny());
    let Some(mut page) = open(&written.file(), DESKTOP) else { return };
    // From the top, by nothing but the keyboard: a skip link first.
    page.press("Tab");
    assert_eq!(page.eval("document.activeElement.className"), "skip");
    let mut tabs = 0;
    while page.eval("document.activeElement.matches('.timeline button')") != true {
        page.press("Tab");
        tabs += 1;
        assert!(tabs < 60, "the steps cannot be reached");
    }
    page.press("ArrowRight");
    page.press("ArrowRight");
    assert!(words(&mut page, ".now").starts_with("Step 3: "));
    // The focus goes with the step.
    assert_eq!(page.eval("document.activeElement.dataset.at"), "2");
    page.press("ArrowLeft");
    assert!(words(&mut page, ".now").starts_with("Step 2: "));
    page.press("End");
    assert!(words(&mut page, ".now").starts_with("The end: "));
    page.press("Home");
    assert!(words(&mut page, ".now").starts_with("Step 1: "));
    assert_eq!(page.eval("document.querySelector('.now').getAttribute('aria-live')"), "polite");
    no_complaints(&page);
}

#[test]
fn every_page_fits_a_phone() {
    for file in all_pages() {
        let Some(mut page) = open(&file, PHONE) else { return };
        let name = page_name(&file);
        page.screenshot(&format!("{name}-phone"), false);
        page.eval("document.getElementById('steps')?.scrollIntoView({ behavior: 'instant' }); 0");
        page.screenshot(&format!("{name}-phone-steps"), false);
        let wide = page.eval("document.documentElement.scrollWidth");
        let culprits = page.eval("[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > 391 && !e.closest('.scroll, pre, .timeline')).slice(0, 5).map((e) => e.outerHTML.slice(0, 120))");
        assert!(wide.as_u64() <= Some(390), "{name} is {wide} wide: {culprits:#}");
        no_complaints(&page);
    }
}

#[test]
fn every_page_loads_without_a_complaint_in_light_and_dark() {
    for file in all_pages() {
        let Some(mut page) = open(&file, DESKTOP) else { return };
        let name = page_name(&file);
        let mut grounds = Vec::new();
        for scheme in ["light", "dark"] {
            page.prefer(scheme);
            grounds.push(page.eval("getComputedStyle(document.body).backgroundColor"));
            page.screenshot(&format!("{name}-{scheme}"), false);
            for part in ["schedule", "steps", "fix", "sure", "forms"] {
                page.eval(&format!(
                    "document.getElementById('{part}')?.scrollIntoView({{ behavior: 'instant' }}); 0"
                ));
                page.screenshot(&format!("{name}-{scheme}-{part}"), false);
            }
        }
        assert_ne!(grounds[0], grounds[1], "{name}");
        // A choice by hand outweighs the system's.
        page.eval("document.documentElement.dataset.theme = 'light'");
        assert_eq!(page.eval("getComputedStyle(document.body).backgroundColor"), grounds[0], "{name}");
        no_complaints(&page);
    }
}

#[test]
fn an_accessibility_check_finds_nothing_serious() {
    let Some(axe) = env::var_os("BOHR_AXE") else {
        eprintln!("SKIPPED: BOHR_AXE names no axe.min.js; .ci/browser fetches one");
        return;
    };
    let axe = fs::read_to_string(axe).expect("BOHR_AXE can be read");
    for file in all_pages() {
        let Some(mut page) = open(&file, DESKTOP) else { return };
        page.eval(&format!("{axe}\n;0"));
        for scheme in ["light", "dark"] {
            page.prefer(scheme);
            page.eval("document.querySelectorAll('details').forEach((part) => { part.open = true; })");
            let found = page.eval(
                "axe.run().then((all) => all.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
                    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + (n.any[0]?.message ?? '')).join('; ')}`))",
            );
            assert_eq!(found, serde_json::json!([]), "{} in {scheme}: {found:#}", page_name(&file));
        }
    }
}

/// The reviewed pages, and one that was written just now.
fn all_pages() -> Vec<PathBuf> {
    let mut pages = vec![reports().join("index.html")];
    let folders = fs::read_dir(reports()).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(folders.filter(|path| path.is_dir()).map(|path| path.join("report.html")));
    pages.sort();
    assert_eq!(pages.len(), 6);
    pages
}

fn page_name(file: &Path) -> String {
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
    folder.to_string_lossy().into_owned()
}

#[test]
fn two_thousand_steps_stay_small_and_quick() {
    let bug = long::bug(2_000);
    assert!(bug.cases[0].trace.steps.len() >= 2_000);
    let written = Written::of(&bug);
    let size = fs::metadata(written.file()).unwrap().len();
    assert!(size < 500_000, "{size} bytes");
    let Some(mut page) = open(&written.file(), DESKTOP) else { return };
    // Not time but what it takes: few elements, however long the run is.
    let count = "document.querySelectorAll('#explorer *').length";
    let at_first = page.eval(count).as_u64().unwrap();
    assert!(at_first < 4_000, "{at_first} elements");
    let ready = page.eval("document.documentElement.dataset.ready");
    let took = page.eval(
        "(() => { const bar = document.querySelector('#explorer [type=range]'); const start = performance.now();
            for (let at = 0; at < 2000; at += 100) { bar.value = at; bar.dispatchEvent(new Event('input')); }
            return (performance.now() - start) / 20; })()",
    );
    eprintln!("2,000 steps: {size} bytes, ready after {ready} ms, {took} ms a step, {at_first} elements");
    // What is folded is shown where the reader goes, and on demand.
    assert!(words(&mut page, ".now").starts_with("Step 1901: "));
    assert_eq!(words(&mut page, ".timeline [aria-current=step] .number"), "1901");
    let rows =
        |page: &mut Page| page.eval("document.querySelectorAll('.timeline .step').length").as_u64().unwrap();
    let before = rows(&mut page);
    click(&mut page, ".fold button");
    assert!((100..=210).contains(&(rows(&mut page) - before)), "{before} rows before");
    no_complaints(&page);
}

#[test]
fn the_index_leads_to_every_report() {
    let folder = tempfile::tempdir().unwrap();
    let bug = tiny();
    for (name, text) in index::files(std::slice::from_ref(&bug)) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let Some(mut page) = open(&folder.path().join("index.html"), DESKTOP) else { return };
    assert_eq!(
        page.eval("document.querySelector('.bug a').getAttribute('href')"),
        "tiny-image-log/report.html"
    );
    no_complaints(&page);
}
