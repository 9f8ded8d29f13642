// A typedoc plugin: on the start page and beside it, guides and decisions stand with their like, called what their first heading says
// and found under the names of their files; entries are called what they are imported by.
import { Comment, CommentTag, Converter, KindRouter, ReflectionKind } from 'typedoc';

/** By the path that a document is called after until then; the rest is about the project. */
const CATEGORIES = [
  [/^docs\/guides\//, 'Guides'],
  [/^docs\/decisions\//, 'Decisions'],
  [/^/, 'Project'],
];

/** Where a document came from, such as `docs/guides/cli`. */
const paths = new WeakMap();

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const document of project.documents ?? []) nameAndCategorize(document);
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      // `harness/src/drachtio` is `@hopback/harness/drachtio`.
      module.name = `@hopback/${module.name.replace(/\/src(?=\/|$)/, '')}`;
      const text = module.name.startsWith('@hopback/harness') ? 'Reference of the test network' : 'Reference';
      module.comment ??= new Comment();
      module.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text }]));
    }
  });
  app.renderer.defineRouter('documents-by-file', DocumentRouter);
}

function nameAndCategorize(document) {
  const path = document.name;
  paths.set(document, path);
  document.frontmatter.category = CATEGORIES.find(([pattern]) => pattern.test(path))?.[1];
  const [heading] = document.content.flatMap(({ text }) => /^# (.+)$/m.exec(text)?.[1] ?? []);
  document.name = heading ?? path;
}

/** A title may change, and a link to the page should not. */
class DocumentRouter extends KindRouter {
  getIdealBaseName(reflection) {
    const path = paths.get(reflection);
    return path === undefined ? super.getIdealBaseName(reflection) : `documents/${path.replace(/^docs\//, '')}`;
  }
}
