/** Text files as people bring them: lines, byte order marks, rows of JSON. */
package io.shardpress.schemas.text;
