// Conversations and the files of their answers in the browser's own database.

const NAME = "ossicle";
const CONVERSATIONS = "conversations";
const FILES = "files";

let database = null;

/** Opens the database. @throws Error where the browser has none, as in some private windows */
export function open() {
    return new Promise((resolve, reject) => {
        const opening = indexedDB.open(NAME, 1);
        opening.onupgradeneeded = () => {
            opening.result.createObjectStore(CONVERSATIONS, { keyPath: "id" });
            opening.result.createObjectStore(FILES);
        };
        opening.onsuccess = () => {
            database = opening.result;
            database.onversionchange = () => database.close();
            resolve();
        };
        opening.onerror = () => reject(opening.error);
        opening.onblocked = () => reject(new Error("another tab holds an older version open"));
    });
}

function transact(store, mode, action) {
    return new Promise((resolve, reject) => {
        const transaction = database.transaction(store, mode);
        const request = action(transaction.objectStore(store));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = () => reject(transaction.error);
        transaction.onabort = () => reject(transaction.error);
    });
}

export const isOpen = () => database !== null;
export const all = () => transact(CONVERSATIONS, "readonly", (store) => store.getAll());
export const get = (id) => transact(CONVERSATIONS, "readonly", (store) => store.get(id));
export const put = (conversation) => transact(CONVERSATIONS, "readwrite", (store) => store.put(conversation));
export const remove = (id) => transact(CONVERSATIONS, "readwrite", (store) => store.delete(id));
export const getFile = (id) => transact(FILES, "readonly", (store) => store.get(id));
export const putFile = (id, blob) => transact(FILES, "readwrite", (store) => store.put(blob, id));

/** Deletes the files that no conversation names. */
export async function sweepFiles(named) {
    for (const id of await transact(FILES, "readonly", (store) => store.getAllKeys())) {
        if (!named.has(id)) {
            await transact(FILES, "readwrite", (store) => store.delete(id));
        }
    }
}
