/** An element with properties and children. Strings become text nodes, so nothing is ever parsed as markup. */
export function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
