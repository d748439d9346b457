"""A long recording is shown with its cuts, and cleaned, heard and taken back, in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.conftest import GivenClip
from tests.ui import way
from tests.ui.conftest import Server
from voicefactory.pipeline.clip_rows import load_clips
from voicefactory.project import Project, slug
from voicefactory.types import SAMPLE_RATE

NAME = "Long recording"


def long_recording(path: Path, clips: list[GivenClip]) -> Path:
    """Four clips with pauses, noise over all of it, and at the end a word that is too short for a clip."""
    pause = np.zeros(SAMPLE_RATE, dtype=np.float32)
    sounds = [soundfile.read(clip.path, dtype="float32")[0] for clip in clips]
    parts = [part for sound in sounds for part in (sound, pause)]
    samples = np.concatenate([*parts, pause, 0.5 * sounds[0][5_000:13_000], pause])
    noise = np.random.default_rng(0).normal(0, 0.004, len(samples))
    soundfile.write(path, samples + noise, SAMPLE_RATE)
    return path


@pytest.mark.slow
def test_a_recording_is_seen_with_its_cuts_and_a_clip_is_cleaned_and_taken_back(
    server: Server, page: Page, twelve_clips: list[GivenClip], tmp_path: Path
) -> None:
    way.open_page(page, server.url)
    way.create(page, NAME)
    way.upload(page, [long_recording(tmp_path / "interview.wav", twelve_clips[:4]), twelve_clips[4].path])
    expect(page.locator("#recordings-summary")).to_contain_text("cut into", timeout=180_000)
    expect(page.locator("#headline")).to_be_hidden(timeout=180_000)
    expect(page.locator("#recordings tbody tr")).to_have_count(2)
    page.locator("#recordings").get_by_role("button", name="interview.wav").press("Enter")
    expect(page.locator("#waveform")).to_contain_text("interview.wav")
    project = Project.open(slug(NAME), server.home)
    own = [clip for clip in load_clips(project) if clip.file == "interview.wav"]
    expect(page.locator("#waveform svg rect.clip")).to_have_count(len(own))
    expect(page.locator("#waveform svg rect.refused")).to_have_count(1)
    label = f"Waveform of interview.wav from 0:00 to 0:24: {len(own)} clips. 1 part not used."
    expect(page.locator("#waveform svg")).to_have_attribute("aria-label", label)
    page.wait_for_function("document.querySelector('#recording-player audio').readyState >= 1")

    page.locator("#cleaning").get_by_role("button", name="Clean the sound").click()
    page.locator("#clean-start").click()
    expect(way.notice(page)).to_contain_text("Tick what to do first")
    way.dismiss(page)
    page.locator("#clean-steps").get_by_label("Take away noise").check()
    page.locator("#clean-scope").get_by_label("The clip below").check()
    page.locator("#clean-start").click()
    expect(page.locator("#clean-found")).to_contain_text("Take away noise", timeout=180_000)
    expect(page.locator("#clean-job")).to_contain_text(f"1 of {len(own) + 1} clips cleaned")
    expect(page.locator("#clean-after")).to_be_visible()
    (cleaned,) = [clip for clip in load_clips(project) if clip.original_sha256]
    assert cleaned.quality.snr_db > own[0].quality.snr_db + 3

    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#waveform")).to_contain_text("interview.wav")
    page.locator("#cleaning").get_by_role("button", name="Clean the sound").click()
    expect(page.locator("#clean-steps").get_by_label("Take away noise")).to_be_checked()
    expect(page.locator("#clean-scope").get_by_label("The clip below")).to_be_checked()
    expect(page.locator("#clean-after")).to_be_visible()
    page.locator("#clean-undo").click()
    expect(page.locator("#clean-found")).to_contain_text("has not been cleaned", timeout=180_000)
    expect(page.locator("#clean-after")).to_be_hidden()
    assert [clip for clip in load_clips(project) if clip.file == "interview.wav"] == own
    page.locator("#clean-undo").click()
    expect(way.notice(page)).to_contain_text("nothing to take back")


@pytest.mark.slow
def test_a_data_set_of_the_hub_is_asked_for_by_its_name(server: Server, page: Page) -> None:
    way.open_page(page, server.url)
    way.create(page, "From the Hub")
    page.get_by_role("tab", name="Hub", exact=True).click()
    page.locator("#hub-data-add").click()
    expect(way.notice(page)).to_contain_text("Write the data set's name first")
    way.dismiss(page)
    field = page.locator("#hub-data").get_by_role("textbox")
    field.fill("no name")
    page.locator("#hub-data-add").click()
    expect(way.notice(page)).to_contain_text("is not a data set's name")
    expect(field).to_have_value("no name")
    field.fill("someone/some-voice")
    page.locator("#hub-data-add").click()
    expect(page.locator("#hub-data-taken")).to_contain_text("hf:someone/some-voice")
    expect(page.locator("#prepare-job")).to_contain_text("HF_HUB_OFFLINE is set", timeout=180_000)
    page.get_by_role("button", name="Remove a file").click()
    page.locator("#remove-which input").click()
    page.get_by_role("option", name="hf:someone/some-voice").click()
    page.locator("#remove").click()
    expect(page.locator("#hub-data-taken")).to_be_hidden()
