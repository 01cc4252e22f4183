// What a person sees of a page, at each width of a frame that it is in: told as JSON, in #measured.

function luminance([red, green, blue]) {
  const linear = [red, green, blue].map((one) => {
    const part = one / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

function numbers(colour) {
  return colour.match(/[\d.]+/g).map(Number);
}

// The colour behind an element: that of the nearest around it that is not transparent.
function behind(element, view) {
  for (let one = element; one; one = one.parentElement) {
    const [red, green, blue, alpha = 1] = numbers(view.getComputedStyle(one).backgroundColor);
    if (alpha > 0) return [red, green, blue];
  }
  return [255, 255, 255];
}

// WCAG 2.1, "contrast ratio": of the text that an element has itself.
function contrast(element, view) {
  const ink = luminance(numbers(view.getComputedStyle(element).color));
  const paper = luminance(behind(element, view));
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}

function said(element) {
  return [...element.childNodes]
    .filter((node) => node.nodeType === Node.TEXT_NODE)
    .map((node) => node.data.trim())
    .join(" ")
    .trim();
}

function box(element) {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  return [left, top, right, bottom];
}

function measured(frame) {
  const view = frame.contentWindow;
  const page = frame.contentDocument;
  const all = [...page.body.querySelectorAll("*")];
  const spoken = all.filter((element) => said(element));
  return {
    page: frame.title,
    width: view.innerWidth,
    needs: page.documentElement.scrollWidth,
    dark: view.matchMedia("(prefers-color-scheme: dark)").matches,
    paper: luminance(behind(page.body, view)),
    // What is drawn to scale may be cut off, and is said again below; nothing else is.
    cut: all
      .filter((one) => !one.closest(".bar") && one.scrollWidth > one.clientWidth + 1)
      .filter((one) => view.getComputedStyle(one).display !== "inline")
      .map((one) => said(one) || one.className),
    outside: all
      .filter((one) => one.getBoundingClientRect().right > view.innerWidth + 1)
      .map((one) => said(one) || one.className),
    contrasts: spoken.map((one) => [said(one), contrast(one, view)]),
    spoken: spoken.length,
    objects: [...page.querySelectorAll(".object")].map(box),
    bars: [...page.querySelectorAll(".object .bar")].map(box),
    sections: [...page.querySelectorAll("section")].map(box),
    verdict: page.querySelector(".verdict").className,
  };
}

addEventListener("load", () => {
  const told = document.createElement("pre");
  told.id = "measured";
  told.textContent = JSON.stringify([...document.querySelectorAll("iframe")].map(measured));
  document.body.append(told);
});
