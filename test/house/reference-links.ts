import { readdir, readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize, sep } from 'node:path';

/**
 * The links of a generated reference that lead nowhere: from its pages, and from the Markdown files that are copied beside
 * them because a page links to them.
 * @param folder - of the reference; links out of it are dead, since it is published alone
 * @returns `page: link`, one each
 */
export async function deadLinks(folder: string): Promise<readonly string[]> {
  const files = new Set(await filesBelow(folder));
  const pages = [...files].filter((file) => ['.html', '.md'].includes(extname(file)));
  const texts = new Map(
    await Promise.all(pages.map(async (page) => [page, await readFile(join(folder, page), 'utf8')] as const)),
  );
  const anchors = new Map([...texts].map(([page, text]) => [page, anchorsIn(text)] as const));
  return [...texts].flatMap(([page, text]) =>
    linksIn(page, text)
      .filter((link) => !leadsSomewhere(page, link, { files, anchors }))
      .map((link) => `${page}: ${link}`),
  );
}

/**
 * Markdown that a page links to and that was copied as it is, where a browser shows its source. The reports of the public interface
 * are meant to be read so.
 * @returns paths below the folder
 */
export async function rawPages(folder: string): Promise<readonly string[]> {
  const files = await filesBelow(folder);
  return files.filter((file) => file.endsWith('.md') && !file.endsWith('.api.md'));
}

interface Reference {
  readonly files: ReadonlySet<string>;
  /** Of each page. */
  readonly anchors: ReadonlyMap<string, ReadonlySet<string>>;
}

function leadsSomewhere(page: string, link: string, { files, anchors }: Reference): boolean {
  // A scheme, or another host: for readers to try.
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) return true;
  const [path = '', anchor = ''] = link.split('#', 2).map(decoded);
  const target =
    path === ''
      ? page
      : normalize(join(dirname(page), path))
          .split(sep)
          .join('/');
  if (!files.has(target)) return false;
  // What scripts make, such as the icons, has its anchors elsewhere.
  return anchor === '' || extname(target) !== '.html' || anchors.get(target)?.has(anchor) === true;
}

function linksIn(page: string, text: string): readonly string[] {
  if (extname(page) === '.html')
    return [...text.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, link]) => (link ?? '').replaceAll('&amp;', '&'));
  const prose = text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]*)\)/g)].map(([, link]) => link ?? '');
}

function anchorsIn(html: string): ReadonlySet<string> {
  return new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id ?? ''));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\?.*$/, ''));
  } catch {
    return text;
  }
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length)
        .replace(/^[/\\]+/, '')
        .split(sep)
        .join('/'),
    );
}
