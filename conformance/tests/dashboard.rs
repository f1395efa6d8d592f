//! The dashboard in headless Chromium, with 46,000 cases: it loads, filters, sorts and opens a case, and every page draws.
//! Without a Chromium on this machine (`apt-get install chromium`) only the sizes are checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use conformance::api::{Coverage, Missing};
use conformance::record::{Exc, Kind, Meta, ModuleResult, Record, Results, Status};
use conformance::report::{self, Extras, Peer, Summary};
use conformance::suite::Suite;

const MODULES: usize = 460;
const CASES: usize = 100;

fn record(module: &str, number: usize, status: Status) -> Record {
    let exc = Exc {
        kind: "ValueError".to_owned(),
        message: format!("message {}", number % 7),
        frame: "json/decoder.py:decode".to_owned(),
        trace: format!("Traceback (most recent call last):\n  File \"x.py\", line {number}\nValueError: message\n"),
    };
    let failed = status != Status::Pass;
    Record {
        module: module.to_owned(),
        id: format!("Class{}.test_number_{number}", number / 10),
        kind: Kind::Unittest,
        status,
        exc: failed.then_some(exc),
        sig: failed.then(|| format!("{:08x}", (number % 7) * 1_234_567)),
        ms: number as u64,
        ..Record::default()
    }
}

fn results(status: impl Fn(usize) -> Status) -> Results {
    let mut all = Results::new();
    for module in 0..MODULES {
        let name = format!("test_module_{module}");
        let own = Record {
            module: name.clone(),
            id: name.clone(),
            kind: Kind::Module,
            status: Status::Pass,
            ..Record::default()
        };
        let cases = (0..CASES).map(|number| record(&name, number, status(number))).chain([own]);
        all.insert(name.clone(), ModuleResult::from_records(cases.collect()));
    }
    all
}

fn site(folder: &Path) {
    let suite = Suite::load().expect("the lists");
    let reference = results(|_| Status::Pass);
    for (started, commit, bad) in [(1, "aaaaaaaaaaaa", 40), (2, "bbbbbbbbbbbb", 10)] {
        let subject = results(|number| if number % 50 < bad { Status::Fail } else { Status::Pass });
        let meta =
            Meta { commit: commit.to_owned(), started, complete: true, suite_is_pinned: true, ..Meta::default() };
        let summary = Summary::new(&suite, meta, &reference, &subject);
        let peer = Peer::new("Peer", summary.clone());
        let missing = Missing { name: "thing".to_owned(), signature: "(a, b)".to_owned(), ..Missing::default() };
        let api =
            Coverage { module: "json".to_owned(), names: 9, present: 8, missing: vec![missing], ..Coverage::default() };
        let extras = Extras { peers: vec![peer], api: vec![api] };
        report::write_all(folder, &suite, &summary, &reference, &subject, &extras).expect("writable");
    }
}

/// Runs in the page once it is ready and leaves what it found in the document's title.
const DRIVER: &str = r##"
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
window.addEventListener("error", (event) => { document.title = "ERROR " + event.message; });
(async () => {
  const said = [];
  const began = performance.now();
  while (document.documentElement.dataset.ready !== "yes") await wait(5);
  const ready = performance.now() - began;
  const text = () => document.getElementById("main").textContent;
  const open = async (hash) => { location.hash = hash; await wait(30); };
  said.push("trend " + document.querySelectorAll("main svg circle").length, "tiles " + document.querySelectorAll(".tree a").length);
  said.push("peer " + text().includes("Peer"));
  await open("#/cases");
  const status = () => document.querySelector("[role=status]").textContent;
  said.push(status());
  const field = document.getElementById("filter-text");
  field.value = "module_7.Class4.test_number_45";
  field.dispatchEvent(new Event("input"));
  await wait(400);
  said.push(status());
  await open("#/module/test_module_7");
  const choice = document.getElementById("filter-choice");
  choice.value = "worse";
  choice.dispatchEvent(new Event("change"));
  said.push(status());
  const heads = [...document.querySelectorAll("th button")];
  const ms = heads.find((head) => head.textContent === "ms");
  ms.click();
  said.push("sorted " + ms.parentNode.getAttribute("aria-sort"), document.querySelector("tbody tr td").textContent);
  document.querySelector("tbody tr td a").click();
  await wait(50);
  said.push("trace " + text().includes("ValueError: message"), "repro " + text().includes("--minimise"));
  await open("#/case/test_module_0/Class1.test_number_15");
  said.push("history " + text().includes("aaaaaaaaaaaa: fail") + " " + text().includes("bbbbbbbbbbbb: pass"));
  for (const page of ["next", "api", "api/json", "diff", "slow", "health"]) {
    await open("#/" + page);
    said.push(page + " " + (document.querySelectorAll("main h2").length === 1 && text().length > 60));
  }
  said.push("current " + document.querySelector("[aria-current]").textContent);
  const unnamed = [...document.querySelectorAll("a, button, input, select")].filter((node) => !node.textContent.trim() && !node.getAttribute("aria-label"));
  said.push("unnamed " + unnamed.length);
  document.title = "DONE in " + Math.round(ready) + " ms\n" + said.join("\n");
})();
"##;

fn chromium() -> Option<PathBuf> {
    let names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    names.iter().map(PathBuf::from).find(|path| path.exists())
}

#[test]
fn the_site_works_in_a_browser() {
    let folder = std::env::temp_dir().join(format!("krait-site-{}", std::process::id()));
    site(&folder);
    let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |meta| meta.len());
    let total: u64 = fs::read_dir(&folder)
        .expect("made")
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|meta| meta.len())
        .sum();
    assert!(total < 3 << 20, "{total} bytes");
    assert!(size("cases") < 300 << 10, "{} bytes", size("cases"));
    let page = fs::read_to_string(folder.join("index.html")).expect("written");
    fs::write(folder.join("driver.js"), DRIVER).expect("writable");
    fs::write(folder.join("driven.html"), page.replace("</body>", "<script src=\"driver.js\"></script></body>"))
        .expect("writable");
    if let Some(program) = chromium() {
        let output = Command::new("timeout")
            .arg("100")
            .arg(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--timeout=60000",
                "--virtual-time-budget=60000",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .arg(format!("file://{}", folder.join("driven.html").display()))
            .output()
            .expect("it starts");
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or("").to_owned();
        let (first, said) = title.split_once('\n').unwrap_or((&title, ""));
        assert!(first.starts_with("DONE"), "{title}\n{}", String::from_utf8_lossy(&output.stderr));
        eprintln!("{first}");
        insta::assert_snapshot!(said);
    }
    let _ = fs::remove_dir_all(&folder);
}
