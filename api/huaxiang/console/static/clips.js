// Plays a quote wherever it stands: on the page's own recording, else in the bar at the foot of the page.

import { toast } from "./page.js";

const MORE_MS = 5000;

// The audio in the bar: one recording at a time, fetched by byte ranges when a clip asks for it.
class Bar {
  constructor(element) {
    this.element = element;
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.recording = this.address = null;
    this.line = element.querySelector(".listening__line");
    this.audio.addEventListener("timeupdate", () => this.draw());
    this.audio.addEventListener("error", () => {
      if (this.recording) toast(element.dataset.failed, "bad");
      this.close();
    });
    for (const name of ["play", "pause"]) this.audio.addEventListener(name, () => this.draw());
    this.line.addEventListener("input", () => {
      this.audio.currentTime = this.startS + (this.line.value / 1000) * (this.endS - this.startS);
    });
  }

  // Gives the audio when it can be sought in.
  // `source` is the address of a clip that is heard alone, without the recording around it.
  async load(recording, source) {
    const address = source || `/v1/recordings/${encodeURIComponent(recording)}/audio`;
    if (address !== this.address) {
      [this.recording, this.address] = [recording, address];
      this.audio.src = address;
    }
    if (this.audio.readyState < HTMLMediaElement.HAVE_METADATA) {
      await new Promise((ready) => this.audio.addEventListener("loadedmetadata", ready, { once: true }));
    }
    return this.audio;
  }

  show(button, startS, endS) {
    [this.startS, this.endS] = [startS, endS];
    this.element.querySelector(".listening__quote").textContent = button.textContent.trim();
    const open = this.element.querySelector("[data-listen=open]");
    open.href = `/recordings/${this.recording}#t=${startS}`;
    open.hidden = Boolean(button.dataset.clipSource);
    this.element.hidden = false;
    this.draw();
  }

  draw() {
    const toggle = this.element.querySelector("[data-listen=toggle]");
    toggle.textContent = this.audio.paused ? "▸" : "■";
    const share = (this.audio.currentTime - this.startS) / Math.max(this.endS - this.startS, 0.001);
    this.line.value = Math.round(1000 * Math.min(Math.max(share, 0), 1));
  }

  close() {
    this.audio.pause();
    this.element.hidden = true;
  }
}

// One clip at a time: plays from its start and stops at its end.
class Clips {
  constructor(bar) {
    this.bar = bar && new Bar(bar);
    this.audio = null;
    this.button = null;
    this.last = null;
    this.endS = Infinity;
    this.watch = this.watch.bind(this);
    this.forget = this.forget.bind(this);
  }

  async toggle(button) {
    const wasPlaying = button === this.button;
    this.stop();
    if (wasPlaying) return;
    await this.play(button, Number(button.dataset.clipStart), Number(button.dataset.clipEnd));
  }

  async play(button, startMs, endMs) {
    const { clipRecording: recording, clipSource: source } = button.dataset;
    const own = document.querySelector("audio[data-recording]");
    const here = own && !source && (!recording || own.dataset.recording === recording);
    if (!here && !(recording && this.bar)) return;
    this.mark(button);
    const audio = here ? own : await this.bar.load(recording, source);
    if (this.button !== button) return; // another clip was asked for meanwhile
    if (here) this.bar?.close();
    this.listenTo(audio);
    [this.last, this.endS] = [{ button, startMs, endMs }, endMs / 1000];
    audio.currentTime = startMs / 1000;
    if (!here) this.bar.show(button, startMs / 1000, endMs / 1000);
    audio.play().then(this.watch, this.forget);
  }

  // The same clip with some seconds before and after it.
  more() {
    if (!this.last) return;
    const { button, startMs, endMs } = this.last;
    this.stop();
    this.play(button, Math.max(startMs - MORE_MS, 0), endMs + MORE_MS);
  }

  again() {
    if (this.button) return this.stop();
    if (this.last) this.play(this.last.button, this.last.startMs, this.last.endMs);
  }

  listenTo(audio) {
    if (audio === this.audio) return;
    for (const name of ["pause", "ended"]) {
      this.audio?.removeEventListener(name, this.forget);
      audio.addEventListener(name, this.forget);
    }
    this.audio?.removeEventListener("timeupdate", this.watch);
    audio.addEventListener("timeupdate", this.watch); // a page in the background draws no frames
    this.audio = audio;
  }

  watch() {
    if (!this.button || this.audio.paused) return;
    if (this.audio.currentTime >= this.endS) {
      this.audio.pause();
      this.audio.currentTime = this.endS;
      return;
    }
    requestAnimationFrame(this.watch);
  }

  stop() {
    if (this.button) this.audio?.pause();
    this.forget();
  }

  close() {
    this.stop();
    this.bar?.close();
    this.last?.button.focus();
  }

  mark(button) {
    this.forget();
    this.button = button;
    button.classList.add("is-playing");
  }

  forget() {
    this.button?.classList.remove("is-playing");
    this.button = null;
    this.endS = Infinity;
  }
}

export const clips = new Clips(document.querySelector("#listening"));

document.addEventListener("click", (event) => {
  const clip = event.target.closest("[data-clip-start]");
  if (clip) clips.toggle(clip);
  const control = event.target.closest("[data-listen]");
  if (control?.dataset.listen === "toggle") clips.again();
  if (control?.dataset.listen === "more") clips.more();
  if (control?.dataset.listen === "close") clips.close();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) clips.stop();
});
