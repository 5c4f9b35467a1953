/**
 * Profiles: services that are only wanted when asked for.
 * **Source:** Compose specification, "Profiles".
 */
import type { ComplaintCollector } from '../complaint.js';
import type { Cursor } from './cursor.js';

/**
 * Says of a service whether it is wanted: it has no profile, or one of those asked for. A warning
 * names each service that is left out.
 */
export function selectProfiles(
  wanted: readonly string[],
  complaints: ComplaintCollector,
): (service: Cursor) => boolean {
  return (service) => {
    const profiles = service.texts('profiles');
    const isWanted =
      profiles.length === 0 ||
      wanted.includes('*') ||
      profiles.some((profile) => wanted.includes(profile));
    if (!isWanted) {
      const place = service.get('profiles')?.place ?? service.place;
      const message = `the service is left out: it is only for the profile ${profiles.join(', ')}`;
      complaints.warn('inactive-profile', place, message, 'ask for the profile to include it');
    }
    return isWanted;
  };
}
