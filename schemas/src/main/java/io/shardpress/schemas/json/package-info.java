/**
 * JSON that comes from outside, read strictly: UTF-8 without errors, no key twice, nothing after
 * the end. Which keys a file has is known to the packages that read it.
 */
package io.shardpress.schemas.json;
