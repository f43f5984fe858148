// Before anything is drawn, so that a dark page does not begin white.
try {
    const { theme } = JSON.parse(localStorage.getItem("ossicle.page") ?? "{}");
    if (theme === "light" || theme === "dark") {
        document.documentElement.dataset.theme = theme;
    }
} catch {
    // the system's choice
}
