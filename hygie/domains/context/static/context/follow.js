// Say on an open page that another tool opened a record. The page never changes by itself.
// Without this script the same line appears on the next page.
(() => {
  "use strict";
  const HOME = "/professional/context/";
  const form = document.querySelector("input[name=csrfmiddlewaretoken]");
  const [, patient = ""] = /^\/professional\/[^/]+\/([A-Za-z0-9.-]{1,64})\//.exec(location.pathname) || [];
  let pause = 1000;

  const place = () => {
    let found = document.getElementById("context-bar");
    if (!found) {
      found = document.createElement("div");
      found.id = "context-bar";
      found.setAttribute("role", "status");
      document.querySelector(".h-page").before(found);
    }
    return found;
  };

  const look = async () => {
    const answer = await fetch(`${HOME}bar/?patient=${encodeURIComponent(patient)}`);
    if (!answer.ok || answer.redirected) return;
    const bar = place();
    bar.replaceChildren();
    const told = document.createElement("template");
    told.innerHTML = await answer.text();
    const link = told.content.querySelector("a");
    // What the page was served with is not said twice.
    if (link && !document.querySelector(`.h-alert a[href="${link.getAttribute("href")}"]`)) {
      bar.append(told.content);
    }
  };

  const listen = async () => {
    const headers = { "X-CSRFToken": form.value };
    const answer = await fetch(`${HOME}listen/`, { method: "POST", headers }).catch(() => null);
    if (answer && answer.status !== 200) return;
    if (!answer) return again();
    const { path } = await answer.json();
    const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}${path}`);
    socket.onmessage = (message) => {
      pause = 1000;
      const told = JSON.parse(message.data);
      if (told.event) look();
    };
    socket.onclose = (closed) => { if (closed.code !== 1000) again(); };
  };

  const again = () => {
    setTimeout(listen, pause);
    pause = Math.min(pause * 2, 60000);
  };

  if (form) { place(); listen(); }
})();
