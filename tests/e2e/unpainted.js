// Decodes and plays the pictures of a page's calls in their places, but paints none: without a graphics card
// that takes a third of a call's processor time. A test that sets `window.isPainted` has them painted.
(() => {
  const property = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...property,
    set(stream) {
      if (!window.isPainted && this instanceof HTMLVideoElement) this.style.opacity = "0";
      property.set.call(this, stream);
    },
  });
})();
