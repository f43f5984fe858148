// Preact with htm: tagged templates instead of JSX, so that nothing has to be compiled.
import { Component, h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { render };
export { useErrorBoundary, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-hooks.js";
export const html = htm.bind(h);

/** A view that is drawn again only when one of these properties is another; by default, any. */
export function memo(view, names = null) {
    return class extends Component {
        shouldComponentUpdate(next) {
            return (names ?? Object.keys(next)).some((name) => next[name] !== this.props[name]);
        }

        render(properties) {
            return h(view, properties);
        }
    };
}
