/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRYPT: AES-XTS over the base (IEEE 1619).  Each block is a data unit, and its
 * tweak the block's number, 128 bits little-endian: what dm-crypt calls
 * aes-xts-plain64, with sector_size and iv_large_sectors for blocks of 4096.
 *
 * Data are encrypted where they lie, in the submitter's memory; a block that
 * lies in several pieces goes through a buffer of the lane.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/bytes.h"
#include "block/registry.h"

enum { BLOCK_BYTES_MAX = 4096, TWEAK = 16 };

struct crypt_device {
	struct block_device device;
	uint8_t key[64];
	size_t key_len;
};

struct crypt_lane {
	struct block_lane lane;
	EVP_CIPHER_CTX *encrypt, *decrypt; /* with the key set */
	uint8_t block[BLOCK_BYTES_MAX];
};

static struct crypt_device *crypt_of(struct block_device *d)
{
	return container_of(d, struct crypt_device, device);
}

static struct crypt_lane *lane_of(struct block_lane *lane)
{
	return container_of(lane, struct crypt_lane, lane);
}

static bool crypt_block(EVP_CIPHER_CTX *ctx, uint64_t number, uint8_t *data,
			int len)
{
	uint8_t tweak[TWEAK] = { 0 };
	int n;

	store_le64(tweak, number);
	return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, tweak, -1) == 1 &&
	       EVP_CipherUpdate(ctx, data, &n, data, len) == 1 && n == len;
}

/* Moves a block between the lane's buffer and the pieces it lies in. */
static void move_block(struct block_cursor *at, uint8_t *block, size_t size,
		       bool gather)
{
	size_t len;
	void *piece;

	for (; size > 0; size -= len, block += len) {
		piece = block_cursor_next(at, size, &len);
		if (gather)
			memcpy(block, piece, len);
		else
			memcpy(piece, block, len);
	}
}

static bool crypt_pieces(struct crypt_lane *l, EVP_CIPHER_CTX *ctx,
			 uint64_t number, struct block_cursor *at, size_t size)
{
	struct block_cursor back = *at;
	bool good;

	move_block(at, l->block, size, true);
	good = crypt_block(ctx, number, l->block, size);
	move_block(&back, l->block, size, false);
	return good;
}

static int crypt_data(struct crypt_lane *l, EVP_CIPHER_CTX *ctx,
		      const struct block_request *r)
{
	unsigned shift = l->lane.device->shift;
	uint64_t number = r->offset >> shift,
		 end = number + (r->length >> shift);
	size_t size = 1U << shift, len;
	struct block_cursor at = { r->iov, 0 };
	bool good = true;

	for (; good && number < end; number++) {
		struct block_cursor before = at;
		uint8_t *data = block_cursor_next(&at, size, &len);

		if (likely(len == size)) {
			good = crypt_block(ctx, number, data, size);
		} else {
			at = before;
			good = crypt_pieces(l, ctx, number, &at, size);
		}
	}
	return good ? 0 : -EIO;
}

static void decrypt_done(struct block_request *r, int error)
{
	struct crypt_lane *l = lane_of(block_frame(r)->lane);

	if (error == 0)
		error = crypt_data(l, l->decrypt, r);
	block_complete(r, error);
}

static void submit(struct block_lane *lane, struct block_request *r)
{
	struct crypt_lane *l = lane_of(lane);
	int err = 0;

	if (r->op == BLOCK_WRITE)
		err = crypt_data(l, l->encrypt, r);
	if (err != 0) {
		block_complete(r, err);
		return;
	}
	r->done = r->op == BLOCK_READ ? decrypt_done : block_complete;
	block_forward(lane->device->base, r);
}

static EVP_CIPHER_CTX *make_context(const struct crypt_device *c, int encrypt)
{
	const EVP_CIPHER *cipher =
		c->key_len == 32 ? EVP_aes_128_xts() : EVP_aes_256_xts();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx == NULL)
		return NULL;
	if (EVP_CipherInit_ex(ctx, cipher, NULL, c->key, NULL, encrypt) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

static void lane_fini(struct block_lane *lane)
{
	struct crypt_lane *l = lane_of(lane);

	EVP_CIPHER_CTX_free(l->encrypt);
	EVP_CIPHER_CTX_free(l->decrypt);
	explicit_bzero(l->block, sizeof(l->block));
}

static int lane_init(struct block_lane *lane)
{
	struct crypt_lane *l = lane_of(lane);
	const struct crypt_device *c = crypt_of(lane->device);

	l->encrypt = make_context(c, 1);
	l->decrypt = make_context(c, 0);
	if (l->encrypt != NULL && l->decrypt != NULL)
		return 0;
	lane_fini(lane);
	return -ENOMEM;
}

static int create(struct block_device *d, const struct block_spec *spec,
		  char text[256])
{
	struct crypt_device *c = crypt_of(d);
	size_t len = spec->crypt.key_len;

	if (len != 32 && len != 64)
		return block_refuse(text, -EINVAL,
				    "the key has to have 32 or 64 bytes, for "
				    "AES-128 or AES-256, not %zu",
				    len);
	if (memcmp(spec->crypt.key, spec->crypt.key + len / 2, len / 2) == 0)
		return block_refuse(text, -EINVAL,
				    "the key's halves have to differ");
	memcpy(c->key, spec->crypt.key, len);
	c->key_len = len;
	return 0;
}

static void destroy(struct block_device *d)
{
	explicit_bzero(crypt_of(d)->key, sizeof(crypt_of(d)->key));
}

const struct block_driver block_crypt = {
	.name = "crypt",
	.filter = true,
	.immediate = true,
	.ops = 1U << BLOCK_READ | 1U << BLOCK_WRITE | 1U << BLOCK_FLUSH,
	.device_size = sizeof(struct crypt_device),
	.lane_size = sizeof(struct crypt_lane),
	.create = create,
	.destroy = destroy,
	.lane_init = lane_init,
	.lane_fini = lane_fini,
	.submit = submit,
};
