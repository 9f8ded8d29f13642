// A typedoc plugin: a link to what another entry exports leads there, so that the harness may speak of the errors of the sdk.
import { ReflectionKind } from 'typedoc';

export function load(app) {
  app.converter.addUnknownSymbolResolver((reference, reflection) => {
    // A type of somebody else's package, which may be called as one of ours.
    if (reference.moduleSource !== undefined) return undefined;
    const [{ path: name } = {}, ...further] = reference.symbolReference?.path ?? [];
    if (name === undefined || further.length > 0) return undefined;
    for (const module of reflection.project.getReflectionsByKind(ReflectionKind.Module)) {
      const target = module.children?.find((child) => child.name === name && !child.kindOf(ReflectionKind.Reference));
      if (target !== undefined) return { target };
    }
    return undefined;
  });
}
