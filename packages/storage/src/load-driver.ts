import { errorCode, StorageError } from './errors';

/**
 * Loads an optional npm package.
 *
 * @throws {StorageError} `DRIVER_MISSING` when the package itself is not installed, with the command
 *   that installs it; `UNAVAILABLE` when it is there and fails to load, such as a native binary that
 *   was built for another Node version. Telling the user to install it would mislead.
 */
export async function loadDriver<T>(packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (isAbsent(cause, packageName)) {
      throw new StorageError(
        'DRIVER_MISSING',
        `The package "${packageName}" is not installed. Run: npm install ${packageName}`,
        { cause },
      );
    }
    throw new StorageError('UNAVAILABLE', `The package "${packageName}" is installed but does not load.`, {
      cause,
    });
  }
}

function isAbsent(error: unknown, packageName: string): boolean {
  const code = errorCode(error);
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return false;
  // A package that is there but misses a dependency of its own raises the same code.
  return (error as Error).message.includes(`'${packageName}'`);
}
