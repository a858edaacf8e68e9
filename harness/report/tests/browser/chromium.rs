//! Chromium without a window, over its own protocol (<https://chromedevtools.github.io/devtools-protocol/>).
//!
//! No WebDriver and no client crate: those bring an asynchronous runtime along, for a dozen messages.

use base64::prelude::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// A page in a browser of its own.
pub struct Page {
    socket: WebSocket<TcpStream>,
    session: Value,
    sent: u64,
    /// What the page complained of: errors on its console, exceptions, requests.
    pub complaints: Vec<String>,
    browser: Child,
    _profile: TempDir,
}

/// The browser that `BOHR_CHROMIUM` names, or the first of the usual ones.
pub fn installed() -> Option<PathBuf> {
    if let Some(named) = env::var_os("BOHR_CHROMIUM") {
        return Some(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
    let mut all = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|path| path.is_file())
}

impl Page {
    /// Opens a file in a window of this size.
    pub fn open(browser: &Path, file: &Path, (width, height): (u32, u32)) -> Page {
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let mut browser = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
            .args(["--disable-background-networking", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the browser starts");
        let mut said = BufReader::new(browser.stderr.take().expect("it was asked for")).lines();
        let url = said.find_map(|line| Some(line.ok()?.split_once("listening on ")?.1.to_owned()));
        let url = url.expect("the browser says where it listens");
        // Whatever else it says must be read, or it waits.
        std::thread::spawn(move || said.for_each(drop));
        let address = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).expect("an address");
        let stream = TcpStream::connect(address).expect("the browser listens");
        let (socket, _) = tungstenite::client(url.as_str(), stream).expect("the browser speaks");
        let complaints = Vec::new();
        let mut page = Page { socket, session: Value::Null, sent: 0, complaints, browser, _profile: profile };
        let target = page.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        page.session = page.call("Target.attachToTarget", attach)["sessionId"].take();
        for domain in ["Runtime", "Log", "Page", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.resize(width, height);
        page.call("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
        page.wait("location.protocol === 'file:' && document.readyState === 'complete' && !(document.getElementById('data') && !document.documentElement.dataset.ready)");
        page
    }

    /// Makes the window another size.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Makes the system prefer dark or light.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// The value of an expression, which may be a promise.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", ask);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true. The test-runner's patience is the limit.
    pub fn wait(&mut self, expression: &str) {
        let until = format!(
            "new Promise((done) => {{ const look = () => ({expression}) ? done(true) : setTimeout(look, 20); look(); }})"
        );
        self.eval(&until);
    }

    /// Presses and releases a key.
    pub fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let code = match key {
                "Tab" => 9,
                "End" => 35,
                "Home" => 36,
                "ArrowLeft" => 37,
                "ArrowRight" => 39,
                _ => 0,
            };
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Keeps a picture of what is to be seen, if `BOHR_SCREENSHOTS` names a folder for them.
    pub fn screenshot(&mut self, name: &str, whole: bool) {
        let Some(folder) = env::var_os("BOHR_SCREENSHOTS") else { return };
        let taken = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": whole }));
        let data = taken["data"].as_str().expect("a picture");
        fs::create_dir_all(&folder).expect("a folder for pictures");
        let picture = BASE64_STANDARD.decode(data).expect("the picture is in base 64");
        fs::write(Path::new(&folder).join(format!("{name}.png")), picture).expect("the picture is written");
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.socket.send(Message::text(message.to_string())).expect("the browser listens");
        loop {
            let Message::Text(text) = self.socket.read().expect("the browser answers") else { continue };
            let mut answer: Value = serde_json::from_str(&text).expect("the browser speaks JSON");
            if answer["id"] == self.sent {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.hear(&answer);
        }
    }

    fn hear(&mut self, event: &Value) {
        let params = &event["params"];
        let bad = match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => true,
            "Runtime.consoleAPICalled" => {
                ["error", "warning", "assert"].iter().any(|kind| params["type"] == *kind)
            }
            "Log.entryAdded" => ["error", "warning"].iter().any(|level| params["entry"]["level"] == *level),
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                !url.starts_with("file:") && !url.starts_with("data:")
            }
            _ => false,
        };
        if bad {
            self.complaints.push(event.to_string());
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // It may have gone by itself.
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
