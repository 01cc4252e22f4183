/*
 * Says what GStreamer's parser reads in the headers of VP8, in the control of V4L2's.
 *
 *     vp8_controls < FRAMES > CONTROLS
 *
 * A frame is its size, in four bytes as the machine has them, and its data; what comes of each is one
 * struct v4l2_ctrl_vp8_frame, without stamps.
 */
#include <gst/codecparsers/gstvp8parser.h>
#include <linux/v4l2-controls.h>
#include <stdio.h>
#include <string.h>

static void fill(struct v4l2_ctrl_vp8_frame *to, const GstVp8Parser *parser, const GstVp8FrameHdr *from)
{
	const GstVp8Segmentation *segment = &parser->segmentation;
	const GstVp8MbLfAdjustments *adjust = &parser->mb_lf_adjust;
	static guint16 width, height;
	static guint8 across, down;
	guint i;

	memset(to, 0, sizeof *to);
	memcpy(to->segment.quant_update, segment->quantizer_update_value, 4);
	memcpy(to->segment.lf_update, segment->lf_update_value, 4);
	memset(to->segment.segment_probs, 255, 3); /* they are for frames that say them */
	if (segment->segmentation_enabled && segment->update_mb_segmentation_map)
		memcpy(to->segment.segment_probs, segment->segment_prob, 3);
	to->segment.flags =
		(segment->segmentation_enabled ? V4L2_VP8_SEGMENT_FLAG_ENABLED : 0) |
		(segment->update_mb_segmentation_map ? V4L2_VP8_SEGMENT_FLAG_UPDATE_MAP : 0) |
		(segment->update_segment_feature_data ? V4L2_VP8_SEGMENT_FLAG_UPDATE_FEATURE_DATA : 0) |
		(segment->segment_feature_mode ? 0 : V4L2_VP8_SEGMENT_FLAG_DELTA_VALUE_MODE);

	memcpy(to->lf.ref_frm_delta, adjust->ref_frame_delta, 4);
	memcpy(to->lf.mb_mode_delta, adjust->mb_mode_delta, 4);
	to->lf.sharpness_level = from->sharpness_level;
	to->lf.level = from->loop_filter_level;
	to->lf.flags = (adjust->loop_filter_adj_enable ? V4L2_VP8_LF_ADJ_ENABLE : 0) |
		       (adjust->mode_ref_lf_delta_update ? V4L2_VP8_LF_DELTA_UPDATE : 0) |
		       (from->filter_type ? V4L2_VP8_LF_FILTER_TYPE_SIMPLE : 0);

	to->quant.y_ac_qi = from->quant_indices.y_ac_qi;
	to->quant.y_dc_delta = from->quant_indices.y_dc_delta;
	to->quant.y2_dc_delta = from->quant_indices.y2_dc_delta;
	to->quant.y2_ac_delta = from->quant_indices.y2_ac_delta;
	to->quant.uv_dc_delta = from->quant_indices.uv_dc_delta;
	to->quant.uv_ac_delta = from->quant_indices.uv_ac_delta;

	memcpy(to->entropy.coeff_probs, from->token_probs.prob, sizeof to->entropy.coeff_probs);
	memcpy(to->entropy.y_mode_probs, from->mode_probs.y_prob, 4);
	memcpy(to->entropy.uv_mode_probs, from->mode_probs.uv_prob, 3);
	memcpy(to->entropy.mv_probs, from->mv_probs.prob, sizeof to->entropy.mv_probs);
	to->coder_state.range = from->rd_range;
	to->coder_state.value = from->rd_value;
	to->coder_state.bit_count = from->rd_count;

	if (from->key_frame) { /* the others have none of their own */
		width = from->width, height = from->height;
		across = from->horiz_scale_code, down = from->vert_scale_code;
	}
	to->width = width, to->height = height;
	to->horizontal_scale = across, to->vertical_scale = down;
	to->version = from->version;
	to->prob_skip_false = from->prob_skip_false;
	to->prob_intra = from->prob_intra;
	to->prob_last = from->prob_last;
	to->prob_gf = from->prob_gf;
	to->num_dct_parts = 1 << from->log2_nbr_of_dct_partitions;
	to->first_part_size = from->first_part_size;
	to->first_part_header_bits = from->header_size;
	for (i = 0; i < to->num_dct_parts; i++)
		to->dct_part_sizes[i] = from->partition_size[i];
	to->flags = (from->key_frame ? V4L2_VP8_FRAME_FLAG_KEY_FRAME : 0) |
		    (from->show_frame ? V4L2_VP8_FRAME_FLAG_SHOW_FRAME : 0) |
		    (from->mb_no_skip_coeff ? V4L2_VP8_FRAME_FLAG_MB_NO_SKIP_COEFF : 0) |
		    (from->sign_bias_golden ? V4L2_VP8_FRAME_FLAG_SIGN_BIAS_GOLDEN : 0) |
		    (from->sign_bias_alternate ? V4L2_VP8_FRAME_FLAG_SIGN_BIAS_ALT : 0);
}

int main(void)
{
	static unsigned char data[1 << 20];
	struct v4l2_ctrl_vp8_frame control;
	GstVp8Parser parser;
	guint32 size;

	gst_vp8_parser_init(&parser);
	while (fread(&size, sizeof size, 1, stdin) == 1) {
		GstVp8FrameHdr header;

		memset(&header, 0, sizeof header);
		if (size > sizeof data || fread(data, size, 1, stdin) != 1)
			return 2;
		if (gst_vp8_parser_parse_frame_header(&parser, &header, data, size) !=
		    GST_VP8_PARSER_OK)
			return 1;
		fill(&control, &parser, &header);
		fwrite(&control, sizeof control, 1, stdout);
	}
	return 0;
}
