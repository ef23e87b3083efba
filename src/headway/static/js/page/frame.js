// @ts-check
// What every page's frame does: light or dark before the first paint (loaded in the head, not deferred, for that), the
// button that switches it, a language switch that keeps the URL's fragment, and the icons, for when the server is away.

(() => {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const dark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';

  try {
    const chosen = localStorage.getItem('headway-theme');
    if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen;
  } catch { /* storage is off: the system's choice holds */ }

  /** @param {string} sheet */
  const bringIn = async (sheet) => {
    try {
      const answer = await fetch(sheet);
      const drawings = new DOMParser().parseFromString(await answer.text(), 'image/svg+xml').documentElement;
      if (!answer.ok) return;
      for (const drawing of drawings.children) drawing.id = `icon-${drawing.id}`;
      drawings.setAttribute('hidden', '');
      document.body.append(drawings);
    } catch { /* each icon is fetched when it is shown, then */ }
  };

  document.addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('a[data-switch="language"]').forEach((link) => {
      link.addEventListener('click', () => { /** @type {HTMLAnchorElement} */ (link).hash = location.hash; });
    });

    const button = document.querySelector('[data-switch="theme"]');
    const use = button?.querySelector('use');
    if (!button || !use) return;
    const sheet = (use.getAttribute('href') ?? '').replace(/#.*/, '');
    bringIn(sheet);
    const draw = () => {
      use.setAttribute('href', `${sheet}#${dark() ? 'sun' : 'moon'}`);
      button.setAttribute('aria-pressed', String(dark()));
    };
    button.addEventListener('click', () => {
      root.dataset.theme = dark() ? 'light' : 'dark';
      try { localStorage.setItem('headway-theme', root.dataset.theme); } catch { /* for this page only, then */ }
      draw();
    });
    system.addEventListener('change', draw);
    draw();
  });
})();
