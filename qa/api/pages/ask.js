// The controls of the first page set what the component beside them asks, and how.

const chat = /** @type {import("../widget.js").QAChat | null} */ (document.querySelector("qa-chat"));

// What a proxy puts before the address of the service only the browser knows.
const service = document.querySelector("#service");
if (service) service.textContent = new URL("..", import.meta.url).href;

for (const name of /** @type {const} */ (["collection", "mode"])) {
  const select = /** @type {HTMLSelectElement | null} */ (document.querySelector(`#${name}`));
  const apply = () => {
    if (chat && select) chat[name] = select.value;
  };
  select?.addEventListener("change", apply);
  apply(); // a browser keeps what was chosen before a reload
}
